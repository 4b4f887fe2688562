"""The terms of the training loss: pure functions of tensors."""
