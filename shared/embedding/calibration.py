"""The range of values that each product of the int8 graph tells apart in its input, as (lowest, highest).

Made by `python -m benchmarks.calibration`, from texts of our own. What lies outside is cut off.
"""

RANGES = {
    "encoder.layer.0.attention.self": (-2.9395, 6.3350),
    "encoder.layer.0.attention.output": (-3.2894, 2.2308),
    "encoder.layer.0.intermediate": (-6.7422, 28.5571),
    "encoder.layer.0.output": (-0.1700, 24.6981),
    "encoder.layer.1.attention.self": (-5.3706, 8.1318),
    "encoder.layer.1.attention.output": (-2.8425, 3.0688),
    "encoder.layer.1.intermediate": (-7.8461, 30.3385),
    "encoder.layer.1.output": (-0.1700, 20.3678),
    "encoder.layer.2.attention.self": (-5.3139, 7.9938),
    "encoder.layer.2.attention.output": (-3.0456, 2.8646),
    "encoder.layer.2.intermediate": (-14.2361, 27.7367),
    "encoder.layer.2.output": (-0.1700, 17.5393),
    "encoder.layer.3.attention.self": (-5.3053, 9.6613),
    "encoder.layer.3.attention.output": (-2.8350, 2.6713),
    "encoder.layer.3.intermediate": (-16.5449, 28.8748),
    "encoder.layer.3.output": (-0.1700, 13.7440),
    "encoder.layer.4.attention.self": (-6.2220, 10.5213),
    "encoder.layer.4.attention.output": (-3.4409, 3.3777),
    "encoder.layer.4.intermediate": (-13.8618, 21.6172),
    "encoder.layer.4.output": (-0.1700, 7.7338),
    "encoder.layer.5.attention.self": (-6.0850, 9.8664),
    "encoder.layer.5.attention.output": (-3.9488, 3.5322),
    "encoder.layer.5.intermediate": (-12.4295, 13.5011),
    "encoder.layer.5.output": (-0.1700, 8.5799),
}
