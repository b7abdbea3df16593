"""Makes the constants of `shared/embedding/calibration.py`."""
