"""The S3 server of the tests, named by STORAGED_TEST_S3_*, and parts of its bucket that belong to one test each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient


@dataclass(frozen=True)
class Server:
    """Where it is, who may use it, and the bucket that is there."""

    endpoint: str
    region: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)

    @classmethod
    def named_by(cls, variables: Mapping[str, str]) -> Server | None:
        """As `scripts/radosgw` tells it; None where there is none to be had."""
        if not variables.get("STORAGED_TEST_S3_ENDPOINT"):
            return None
        names = ("ENDPOINT", "REGION", "BUCKET", "ACCESS_KEY", "SECRET_KEY")
        return cls(*(variables[f"STORAGED_TEST_S3_{name}"] for name in names))

    def at(self, endpoint: str) -> Server:
        """The same by way of another address."""
        return replace(self, endpoint=endpoint)

    @cached_property
    def client(self) -> BaseClient:
        """Asks once and waits long: what a test learns is not to depend on a second try."""
        import boto3  # only here, because it takes its time
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                read_timeout=60,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


def server() -> Server:
    found = Server.named_by(os.environ)
    if found is None:
        raise RuntimeError("STORAGED_TEST_S3_ENDPOINT names no S3 server; `scripts/radosgw run COMMAND` starts one")
    return found


@dataclass(frozen=True)
class Upload:
    """A multipart upload that is neither complete nor aborted."""

    key: str
    identifier: str


@dataclass(frozen=True)
class Bucket:
    """What is in a bucket below a prefix; keys here come without it."""

    server: Server
    prefix: str

    @classmethod
    def fresh(cls, server: Server) -> Bucket:
        return cls(server, f"test-{secrets.token_hex(8)}")

    @property
    def settings(self) -> dict[str, str]:
        """What makes a storaged keep its bytes there."""
        return {
            "S3_ENDPOINT": self.server.endpoint,
            "S3_REGION": self.server.region,
            "S3_BUCKET": self.server.bucket,
            "S3_PREFIX": self.prefix,
            "S3_ACCESS_KEY": self.server.access_key,
            "S3_SECRET_KEY": self.server.secret_key,
        }

    def at(self, endpoint: str) -> Bucket:
        """The same by way of another address."""
        return replace(self, server=self.server.at(endpoint))

    def keys(self, below: str = "") -> list[str]:
        """In the order of their bytes."""
        return sorted(entry["Key"][len(self.prefix) + 1 :] for entry in self._entries(below))

    def sizes(self, below: str = "") -> dict[str, int]:
        return {entry["Key"][len(self.prefix) + 1 :]: entry["Size"] for entry in self._entries(below)}

    def size(self, key: str) -> int | None:
        """How many bytes one object has; None when it is not there."""
        try:
            return int(self._client.head_object(Bucket=self.server.bucket, Key=self._whole(key))["ContentLength"])
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise

    def read(self, key: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self.server.bucket, Key=self._whole(key))["Body"].read())

    def find(self, key: str) -> bytes | None:
        """As `read`; None where there is no such object."""
        try:
            return self.read(key)
        except self._client.exceptions.NoSuchKey:
            return None

    def write(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.server.bucket, Key=self._whole(key), Body=content)

    def remove(self, key: str) -> None:
        self._client.delete_object(Bucket=self.server.bucket, Key=self._whole(key))

    def uploads(self) -> list[Upload]:
        """The multipart uploads that wait for more."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.server.bucket, Prefix=self.prefix + "/"
        )
        found = [upload for page in pages for upload in page.get("Uploads", [])]
        return [Upload(upload["Key"][len(self.prefix) + 1 :], upload["UploadId"]) for upload in found]

    def begin_upload(self, key: str) -> Upload:
        answer = self._client.create_multipart_upload(Bucket=self.server.bucket, Key=self._whole(key))
        return Upload(key, answer["UploadId"])

    def clear(self) -> None:
        """Leaves nothing of it, of versions and uploads neither."""
        bucket = self.server.bucket
        if bucket not in {found["Name"] for found in self._client.list_buckets()["Buckets"]}:
            return
        for upload in self.uploads():
            self._client.abort_multipart_upload(Bucket=bucket, Key=self._whole(upload.key), UploadId=upload.identifier)
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=self.prefix + "/")
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            gone = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
            # XML has no words for control characters.
            for one in [one for one in gone if not one["Key"].isprintable()]:
                self._client.delete_object(Bucket=bucket, **one)
            rest = [one for one in gone if one["Key"].isprintable()]
            if rest:
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": rest, "Quiet": True})

    @property
    def _client(self) -> Any:
        return self.server.client

    def _whole(self, key: str) -> str:
        return f"{self.prefix}/{key}"

    def _entries(self, below: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.server.bucket, Prefix=self._whole(below)
        )
        for page in pages:
            yield from page.get("Contents", [])
