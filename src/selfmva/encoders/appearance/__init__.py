"""What people look like: encoders of crops."""
