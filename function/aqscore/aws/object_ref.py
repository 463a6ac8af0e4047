"""A reference to an object version, and the order of two versions of one object."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class ObjectRef:
    """An object version, as far as it is known.

    An event gives all fields but ``modified``; a direct call gives bucket and key. ``restored`` says that the
    object was archived before its event.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    size_bytes: int | None = None
    modified: datetime | None = None
    restored: bool = False

    def as_source(self) -> dict[str, Any]:
        """The fields of a result's ``source``."""
        return {name: value for name, value in asdict(self).items() if name not in ("modified", "restored")}

    def is_same_version(self, other: "ObjectRef") -> bool:
        """Compares the version ids and ETags that both have. False if both have neither."""
        pairs = ((self.version_id, other.version_id), (self.etag, other.etag))
        known = [(one, another) for one, another in pairs if one and another]
        return bool(known) and all(one == another for one, another in known)

    def is_older_than(self, other: "ObjectRef") -> bool:
        """Compares sequencers, else S3's times. False if neither can be compared.

        The sequencers of one key are hexadecimal. Those of different length are not compared: copies of the
        documentation disagree on the side on which the shorter one is padded.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        """
        one, another = (each.sequencer or "" for each in (self, other))
        if one != another and len(one) == len(another):
            return one.upper() < another.upper()
        if self.modified and other.modified:
            return self.modified < other.modified
        return False
