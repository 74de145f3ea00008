"""What a view shows, worked out; QtCore only."""
