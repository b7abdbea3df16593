"""A job's configuration drafted from what a person wants to know and a look at some traces."""
