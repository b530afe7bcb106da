"""Every client of the suite, in the order in which they run."""

from .containerd import Ctr1, Ctr2
from .cosign import Cosign
from .crane import Crane
from .docker import Docker20
from .docker29 import Docker29
from .helm import Helm
from .oras import Oras
from .podman import Buildah, Podman
from .regctl import Regctl
from .skopeo import Skopeo

# regctl first: it asks for a mount from anywhere, and would find what others have pushed.
CLIENTS = [
    Regctl, Docker20, Docker29, Podman, Buildah, Skopeo, Ctr1, Ctr2, Crane, Oras, Helm, Cosign,
]
