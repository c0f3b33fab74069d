"""The same call as code that runs as it stands: cURL in a shell, Python and JavaScript without any package (pure)."""

import json
import shlex
from dataclasses import dataclass

KEY_VARIABLE = "FAREMETER_KEY"


@dataclass(frozen=True, slots=True)
class RowsBody:
    """Rows, sent as JSON."""

    rows: list[list[float]]
    content_type: str = "application/json"

    @property
    def json(self) -> str:
        return json.dumps({"inputs": self.rows})

    @property
    def curl_option(self) -> str:
        return f"-d {shlex.quote(self.json)}"

    @property
    def python_data(self) -> str:
        return f"json.dumps({self.json}).encode()"

    @property
    def javascript_body(self) -> str:
        return f"JSON.stringify({self.json})"


@dataclass(frozen=True, slots=True)
class PictureBody:
    """A picture, sent as the file that it is."""

    file_name: str
    content_type: str

    @property
    def curl_option(self) -> str:
        return f"--data-binary {shlex.quote('@' + self.file_name)}"

    @property
    def python_data(self) -> str:
        return f'open({json.dumps(self.file_name)}, "rb").read()'

    @property
    def javascript_body(self) -> str:
        return f"await readFile({json.dumps(self.file_name)})"


Body = RowsBody | PictureBody


@dataclass(frozen=True, slots=True)
class Snippets:
    """One call in three languages. Without a secret they read it from the environment, as programs should."""

    url: str
    body: Body
    idempotency_key: str
    secret: str | None = None

    @property
    def curl(self) -> str:
        secret = f"${KEY_VARIABLE}" if self.secret is None else self.secret
        lines = [
            f"curl {shlex.quote(self.url)}",
            f'-H "Authorization: Bearer {secret}"',
            f'-H "Content-Type: {self.body.content_type}"',
            f'-H "Idempotency-Key: {self.idempotency_key}"',
            self.body.curl_option,
        ]
        return " \\\n  ".join(lines)

    @property
    def python(self) -> str:
        return f"""import json, os, urllib.request, uuid

request = urllib.request.Request(
    {json.dumps(self.url)},
    data={self.body.python_data},
    headers={{
        "Authorization": "Bearer " + os.environ["{KEY_VARIABLE}"],
        "Content-Type": "{self.body.content_type}",
        "Idempotency-Key": str(uuid.uuid4()),  # keep it where you repeat a call
    }},
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer))"""

    @property
    def javascript(self) -> str:
        reads_file = isinstance(self.body, PictureBody)
        beginning = 'import { readFile } from "node:fs/promises";\n\n' if reads_file else ""
        return f"""{beginning}const answer = await fetch({json.dumps(self.url)}, {{
  method: "POST",
  headers: {{
    "Authorization": `Bearer ${{process.env.{KEY_VARIABLE}}}`,
    "Content-Type": "{self.body.content_type}",
    "Idempotency-Key": crypto.randomUUID(), // keep it where you repeat a call
  }},
  body: {self.body.javascript_body},
}});
console.log(await answer.json());"""
