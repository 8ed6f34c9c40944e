"""What people see of nbtorch in a notebook: the kernel extension, rich displays, graph drawings, and the command line.

Nothing here is imported by the rest of the library until it is asked for, and nothing here reaches below the public
surface of a tensor, a module or a graph node, so that most of it serves real PyTorch objects as well.
"""
