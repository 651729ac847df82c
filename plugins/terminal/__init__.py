"""What a person sees while an audit runs and when it ends."""
