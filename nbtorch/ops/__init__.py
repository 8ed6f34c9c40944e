"""The differentiable operations, by family. Each is one record (see ``record``) with one public function."""

from .activation import *
from .comparison import *
from .conversion import *
from .creation import *
from .elementary import *
from .gathering import *
from .indexing import *
from .joining import *
from .linalg import *
from .loss import *
from .normalization import *
from .ordering import *
from .piecewise import *
from .pointwise import *
from .random import *
from .record import registry as registry
from .reduction import *
from .shape import *
