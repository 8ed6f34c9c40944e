__version__ = "0.1.0"
# The PyTorch whose names and behaviour are followed: what ``torch.__version__`` says under that name.
PYTORCH = "2.13.0"
