"""The parts of a simulated scene: cameras, crowd, detector, appearance."""
