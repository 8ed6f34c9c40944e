"""What ``import torch`` finds in the Pythons that a program under nbtorch starts: there too it means nbtorch."""

from nbtorch.aliasing import as_torch

as_torch()
