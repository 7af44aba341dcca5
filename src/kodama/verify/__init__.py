"""A black-box checker for any deployment: it speaks the public protocol to one address, and nothing else."""
