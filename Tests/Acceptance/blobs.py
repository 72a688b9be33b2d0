"""The bytes of a server as its operator finds them: in files below its data directory, or in its bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from buckets import Bucket
from stores import bucket_of

# The trees that hold what clients have stored.
TREES = ("store", "containers")


@dataclass(frozen=True)
class Blob:
    """One of them, by its key, which is the same wherever it lies: `store/ab/<digest>`."""

    place: Path | Bucket
    key: str

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def path(self) -> Path:
        """Where it lies on the disk."""
        assert isinstance(self.place, Path), "it lies in a bucket"
        return self.place / self.key

    def exists(self) -> bool:
        return self.path.exists() if isinstance(self.place, Path) else self.place.size(self.key) is not None

    def read(self) -> bytes:
        """Raises FileNotFoundError where it is gone."""
        if isinstance(self.place, Path):
            return self.path.read_bytes()
        content = self.place.find(self.key)
        if content is None:
            raise FileNotFoundError(self.key)
        return content

    def write(self, content: bytes) -> None:
        """Puts these bytes there, whatever was there."""
        if isinstance(self.place, Path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(content)
        else:
            self.place.write(self.key, content)

    def remove(self) -> None:
        if isinstance(self.place, Path):
            self.path.unlink()
        else:
            self.place.remove(self.key)


def blob_of(data: Path, key: str) -> Blob:
    """What lies there, or would."""
    return Blob(bucket_of(data) or data, key)


def shared_blob(data: Path, digest: str) -> Blob:
    """The blob of that digest which all accounts share."""
    return blob_of(data, f"store/{digest[:2]}/{digest}")


def blobs_of(data: Path, below: str = "") -> list[Blob]:
    """All that clients have stored, or what of it lies below a folder."""
    bucket, trees = bucket_of(data), [below] if below else TREES
    if bucket is not None:
        return [Blob(bucket, key) for tree in trees for key in bucket.keys(tree + "/")]
    files = sorted(path for tree in trees for path in (data / tree).rglob("*") if path.is_file())
    return [Blob(data, str(path.relative_to(data))) for path in files]


def bytes_stored(data: Path) -> int:
    """How many bytes all of them have."""
    bucket = bucket_of(data)
    if bucket is not None:
        return sum(size for tree in TREES for size in bucket.sizes(tree + "/").values())
    return sum(blob.path.stat().st_size for blob in blobs_of(data))
