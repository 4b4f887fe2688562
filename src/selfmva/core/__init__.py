"""What every room speaks: views and frames, configs, plug-ins, devices, packed boxes."""
