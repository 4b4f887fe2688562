"""Networks that come as files: ONNX, and those of torchvision."""
