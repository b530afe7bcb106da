"""Everything that a registry serves, to compare with what another serves from the same folder."""

from .failure import Failure
from .registry import Registry


def snapshot(registry: Registry, untagged: dict[str, str]) -> dict[str, str]:
    """What is served: each repository's tags; each manifest's type and digest and each blob's length,
    after the bytes were fetched and hashed. `untagged` are manifests by repository that no tag
    leads to."""
    served: dict[str, str] = {}
    for repository in registry.repositories():
        tags = registry.tags(repository)
        served[f"{repository} tags"] = ", ".join(sorted(tags))
        for reference in [*tags, *([untagged[repository]] if repository in untagged else [])]:
            _manifest(registry, repository, reference, served)
    return served


def _manifest(registry: Registry, repository: str, reference: str, served: dict[str, str]) -> None:
    manifest = registry.manifest(repository, reference)
    served[f"{repository} manifest {reference}"] = f"{manifest.media_type} {manifest.digest}"
    document = manifest.document
    for entry in document.get("manifests", []):
        _manifest(registry, repository, entry["digest"], served)
    configs = [document["config"]] if "config" in document else []
    for blob in configs + document.get("layers", []):
        length = len(registry.blob(repository, blob["digest"]))
        served[f"{repository} blob {blob['digest']}"] = f"{length} bytes"


def same(seen: dict[str, str], expected: dict[str, str]) -> None:
    differences = [
        f"{path}: {seen.get(path, 'not served')}, expected {expected.get(path, 'not served')}"
        for path in sorted(seen.keys() | expected.keys()) if seen.get(path) != expected.get(path)
    ]
    if differences:
        raise Failure(f"{len(differences)} differences\n" + "\n".join(differences[:20]))
