"""Signs requests as botocore does, which shares nothing with the signer under test.

One JSON object a line on standard input, one line with `Authorization` and the encoded path on standard output, between them a tab.
"""

import datetime
import json
import sys
from types import SimpleNamespace
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

for line in sys.stdin:
    asked = json.loads(line)
    moment = datetime.datetime.fromtimestamp(asked["seconds"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda moment=moment: moment
    path = quote(bytes.fromhex(asked["path"]), safe="/~")
    request = AWSRequest(
        method=asked["method"],
        url=f"https://{asked['authority']}{path}",
        params=[tuple(pair) for pair in asked["query"]],
        data=bytes.fromhex(asked["body"]),
    )
    for name, value in asked["headers"]:
        request.headers.add_header(name, value)
    request.context["client_config"] = SimpleNamespace(s3={"payload_signing_enabled": True})
    credentials = Credentials(asked["accessKey"], asked["secretKey"], asked.get("sessionToken"))
    botocore.auth.S3SigV4Auth(credentials, "s3", asked["region"]).add_auth(request)
    print(request.headers["Authorization"], path, sep="\t")
