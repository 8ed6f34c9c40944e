"""Building blocks of models: modules, parameters, losses, and functions for them; the names are PyTorch's."""

from . import functional as functional
from . import init as init
from . import modules as modules
from . import utils as utils
from .modules import *
from .modules import __all__ as _modules_all
from .parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "utils", *_modules_all]
