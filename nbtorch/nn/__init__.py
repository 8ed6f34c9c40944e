"""Building blocks of models: modules, parameters, losses, and functions for them; the names are PyTorch's."""

from ..annex import name_what_is_missing
from . import attention as attention
from . import common_types as common_types
from . import functional as functional
from . import grad as grad
from . import init as init
from . import modules as modules
from . import parallel as parallel
from . import utils as utils
from .modules import *
from .modules.utils import factory_kwargs
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer", "DataParallel", "Parameter", "UninitializedBuffer", "UninitializedParameter", "attention",
    "common_types", "factory_kwargs", "functional", "grad", "init", "modules", "parallel", "utils",
]  # fmt: skip
__all__ += modules.__all__

name_what_is_missing(globals())
