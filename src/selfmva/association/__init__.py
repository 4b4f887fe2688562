"""The associator: read, calibrate, train, learn what distances mean, associate."""
