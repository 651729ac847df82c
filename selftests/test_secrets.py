"""The secret detector: fixtures/secrets.py and fixtures/secret_rules.py."""

from __future__ import annotations

import base64
import gzip
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures import secret_rules, secrets
from fixtures.errors import ApiError, UnexpectedAnswer
from fixtures.secrets import BLOCK, OVERLAP, PIECE, Hit, Limits, blocks, find, in_file, in_pairs, user_data_text
from selftests.steps import verify_linear

LIMITS = Limits()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
NAMED, ENTROPY = "secret assigned to a name", "high-entropy string"
AWS_ID, AWS_SECRET = "AKIA" + "IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
HEX = "9f86d081884c7d659a2f" + "eaa0c55ad015a3bf4f1b"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"


def some(count: int, letters: str = LETTERS, seed: int = 7) -> str:
    """Random characters, the same in each run: no test holds a token as text, which scanners would report."""
    return "".join(random.Random(seed).choices(letters, k=count))


def kinds(text: str, limits: Limits = LIMITS) -> list[str]:
    return [kind for _, kind in find(text, limits)]


FORMATS = [
    (AWS_ID, "AWS access key"),
    (AWS_SECRET, "AWS secret access key"),
    ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "private key"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
    ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "private key"),
    (JWT, "JSON web token"),
    (JWT.rpartition(".")[0], "JSON web token"),
    ("ghp_" + some(36), "GitHub token"),
    ("github_pat_" + some(22) + "_" + some(59), "GitHub token"),
    ("glpat-" + some(20), "GitLab token"),
    ("glrt-" + some(20), "GitLab token"),
    ("xoxb-123456789012-" + some(24).lower(), "Slack token"),
    ("https://hooks.slack.com/services/T" + some(8) + "/B" + some(8) + "/" + some(24), "Slack token"),
    ("sk_live_" + some(24), "Stripe key"),
    ("rk_live_" + some(24), "Stripe key"),
    ("SK" + some(32, "0123456789abcdef"), "Twilio key"),
    ("SG." + some(22) + "." + some(43), "SendGrid key"),
    ("123456789:" + some(35), "Telegram bot token"),
    ("M" + some(23) + "." + some(6) + "." + some(27), "Discord bot token"),
    ("AccountKey=" + some(88), "Azure storage key"),
    (some(32, "0123456789abcdef") + "-us12", "Mailchimp key"),
    ("//registry.npmjs.org/:_authToken=npm_" + some(36), "npm token"),
    ("sk-" + some(20) + "T3BlbkFJ" + some(20), "OpenAI key"),
    ("sk-proj-" + some(60) + "T3BlbkFJ" + some(60), "OpenAI key"),
    ("pypi-AgEIcHlwaS5vcmc" + some(80), "PyPI token"),
    ("sq0csp-" + some(43), "Square secret"),
    ("AKC" + some(20), "Artifactory credentials"),
    ("AIza" + some(35), "Google API key"),
    ("https://deploy:Sw0rdfish@example.org/x", "password in a URL"),
    ("postgres://u:p4ss@h/db", "password in a URL"),
    ("redis://:p4ss!$&@cache:6379/0", "password in a URL"),
    ("mongodb+srv://app:p%40ss@cluster0.example.net", "password in a URL"),
]


@pytest.mark.parametrize(
    ("token", "kind"), FORMATS, ids=[f"{kind} {number}" for number, (_, kind) in enumerate(FORMATS)]
)
def test_known_formats_are_found_wherever_they_stand(token: str, kind: str) -> None:
    script = f"#!/bin/sh\nyum update -y\ncurl {token} \n"
    assert Hit(3, kind) in find(script, LIMITS)
    assert in_pairs([("STAGE", "prod"), ("HARMLESS", token)], LIMITS) == (("HARMLESS", kind),)
    assert kind in [hit.kind for hit in in_file([b"x = 1\n", f'y("{token} ")\n'.encode()], LIMITS)]


ASSIGNED = [
    "export AWS_SECRET_ACCESS_KEY=not-that-random",
    "password = 'S3cret-value-9'",
    'PASSWORD="hunter2"',
    "DB_PASSWORD=Tr0ub4dor&3x",
    "export TOKEN=abc",
    "  password: hunter2",
    '{"Password": "hunter2", "user": "x"}',
    r'echo "{\"api_key\": \"hunter2\"}"',
    "api-key=hunter2",
    "Api Key: hunter2",
    "accessKey = 'hunter2'",
    "PRIVATE_KEY='hunter2'",
    "my_passwd := \"hunter2\"",
    "'pwd' => 'hunter2',",
    'os.environ["SECRET"] = "hunter2"',
    'char password[25] = "hunter2";',
    'password: str = "hunter2"',
    "$Password = 'hunter2'",
    "mysql -u root --password=hunter2 < x.sql",
    "tool --token hunter2",
    "<password>hunter2</password>",
    "contraseña-password = 'café9'",
    "TOKEN_URL=hunter2-99x",
    "DB_PASSWORD=Pa$$w0rd",
    "PASSWORD=123456",
    "it's mine: password='hunter2'",
    f"FOO={ARN} PASSWORD=hunter2",
]  # fmt: skip


@pytest.mark.parametrize("line", ASSIGNED)
def test_literals_assigned_to_a_telling_name_are_found(line: str) -> None:
    assert find(f"\n{line}", LIMITS) == (Hit(2, NAMED),)


HARMLESS = [
    "yum update -y && yum install -y httpd",
    "#!/bin/bash",
    "TOKEN=$(curl -X PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600')",
    'curl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/',
    "aws ecr get-login-password | docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "DB_PASSWORD=$(aws ssm get-parameter --name /prod/db/password --with-decryption --query Parameter.Value)",
    "DB_PASSWORD=`get-it`",
    'DB_PASSWORD="${DB_PASSWORD}"',
    'DB_PASSWORD="$1"',
    "aws secretsmanager get-secret-value --secret-id prod/db --query SecretString",
    "aws secretsmanager get-secret-value --secret-id MyDatabase",
    f"aws secretsmanager get-secret-value --secret-id {ARN}",
    f"export SECRET_ARN={ARN}",
    "export SECRET_NAME=prod-db",
    "export PASSWORD_PARAMETER=/prod/db/password",
    "DB_PASSWORD=ssm:/prod/db/password",
    "DB_PASSWORD={{resolve:secretsmanager:prod/db:SecretString:password}}",
    "password: <your-password>",
    "PASSWORD=",
    'PASSWORD=""',
    "password: ********",
    "lock_passwd: true",
    "cut -d: -f1 /etc/passwd",
    "passwd: files sss",
    "adduser --disabled-password --gecos '' deploy",
    "adduser --disabled-password deploy",
    'read -p "Enter password: " answer',
    'if [ "$PASSWORD" == "x" ]; then exit; fi',
    "TOKEN_TTL=3600",
    "MAX_TOKENS=4096",
    "TOKEN_URL=https://auth.example.org/oauth/token",
    "HttpTokens: required",
    "tokenizer = 'bert-base'",
    "$secret = Get-SSMParameter -Name /prod/x",
    "password = var.db_password",
    "git checkout " + HEX,
    "pip install x --hash=sha256:" + HEX + HEX,
    '"integrity": "sha512-' + some(86) + '=="',
    "x.py,sha256=" + some(43) + ",12",
    "QUEUE=arn:aws:sqs:eu-west-1:123456789012:" + "a-queue-with-quite-a-long-name-0042",
    "TABLE=mystack-OrdersTable-1QXC2Z3Y4K5AB",
    "BUCKET=my-application-production-artifacts-eu-west-1",
    "id=subnet-0a1b2c3d4e5f60718",
    "key=12345678-9abc-def0-1234-56789abcdef0",
    'alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"',
    "number = '12345678901234567890'",
    "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/opt/aws/bin",
    "see http://hg.example.org/cpython/file/603b4d593758/Lib/socket.py",
    "url = https://{user}:{password}@example.org",
    "url = https://$USER:$PASS@example.org",
    "ssh-rsa AAAAB3NzaC1yc2E" + some(300) + " me@example.org",
    'Content-Type: multipart/mixed; boundary="===============0086047718136476635=="',
    "export APPLICATION_MODE=APACHELOGS",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_usual_lines_of_scripts_are_not_reported(line: str) -> None:
    assert find(line, LIMITS) == ()


CERTIFICATE = ["-----BEGIN CERTIFICATE-----", *[some(64, seed=n) for n in range(3)], "-----END CERTIFICATE-----"]


def test_certificates_are_public_and_what_follows_is_not() -> None:
    assert find("\n".join(CERTIFICATE), LIMITS) == ()
    pgp = [
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "Version: 2",
        "",
        some(64),
        "=x9Tz",
        "-----END PGP PUBLIC KEY BLOCK-----",
    ]
    assert find("\n".join(pgp), LIMITS) == ()
    assert find("\n".join([*CERTIFICATE, some(64)]), LIMITS) == (Hit(6, ENTROPY),)
    assert find("\n".join([*CERTIFICATE[:2], "password=hunter2", some(64)]), LIMITS) == (Hit(3, NAMED), Hit(4, ENTROPY))


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("STAGE", "prod", ""),
        ("LOG_LEVEL", "info", ""),
        ("host", "localhost:1234", ""),
        ("DB_PASSWORD", "Tr0ub4dor&3x", NAMED),
        ("DB_PASSWORD", "Pa$$w0rd", NAMED),
        ("DB_PASSWORD", "$ecret-word-9", NAMED),
        ("PASSWORD", "Xk3-plain-word-secret", NAMED),
        ("PASSWORD", "two words", NAMED),
        ("DbPassword", "hunter2", NAMED),
        ("apiKey", "hunter2", NAMED),
        ("PRIVATE.KEY", "hunter2", NAMED),
        ("SECRET_ARN", ARN, ""),
        ("DB_SECRET", "prod/db/password", ""),
        ("DB_SECRET", "prod/db-AbC1eF", ""),
        ("DB_PASSWORD", "/prod/db/password", ""),
        ("DB_PASSWORD", "{{resolve:ssm-secure:db:1}}", ""),
        ("DB_PASSWORD", "${DbPassword}", ""),
        ("DB_PASSWORD", "", ""),
        ("USE_TOKEN", "false", ""),
        ("ROLE", "arn:aws:iam::123456789012:role/mystack-ApiRole-1QXC2Z3Y4K5AB", ""),
        ("ANY", AWS_SECRET, "AWS secret access key"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET, "AWS secret access key"),
        ("AWS_KEY", AWS_ID, "AWS access key"),
        ("SESSION", JWT, "JSON web token"),
        ("DATABASE_URL", "postgres://u:p4ss@h/db", "password in a URL"),
        ("CONNECTION", "Server=db;User=sa;Password=hunter2;", NAMED),
        ("CONFIG", '{"user": "x", "password": "hunter2"}', NAMED),
        ("CONFIG", f'{{"secret": "{ARN}"}}', ""),
        ("CONFIG", "first\nsecond\npassword: hunter2", NAMED),
        ("PEM", "\n".join(["-----BEGIN EC PRIVATE KEY-----", some(64)]), "private key"),
        ("PEM", "\n".join(CERTIFICATE), ""),
        ("DATA", HEX, ENTROPY),
        ("DATA", some(40) + "==", ENTROPY),
        ("RELEASE", "1.2.3", ""),
    ],
)
def test_pairs(name: str, value: str, kind: str) -> None:
    assert in_pairs([(name, value)], LIMITS) == (((name, kind),) if kind else ())


def test_pairs_with_quotes_and_newlines_are_scanned_whole() -> None:
    pairs = [("A", "x"), ("NOTE", f'say "hi"\n it\'s\r\n* \\ {AWS_ID}'), ("B", "y")]
    assert in_pairs(pairs, LIMITS) == (("NOTE", "AWS access key"),)
    assert in_pairs([], LIMITS) == ()


ENTROPIES = [
    (f'x = "{HEX}"', LIMITS, True),
    (f"X={HEX}", LIMITS, True),
    (f'x = "{HEX}"', Limits(hex_entropy=3.99), False),
    (f'x = "{some(40)}"', LIMITS, True),
    (f"X={some(40)}", LIMITS, True),
    (f'x = "{some(40)}"', Limits(base64_entropy=5.9), False),
    (f'x = "{some(12)}"', LIMITS, False),
    (f'x = "{some(12)}"', Limits(base64_entropy=2.5), True),
    (some(76), LIMITS, True),
    (f"a sentence with {some(40)} in it", LIMITS, False),
]


@pytest.mark.parametrize(("line", "limits", "found"), ENTROPIES)
def test_random_strings_are_found_above_the_limit(line: str, limits: Limits, found: bool) -> None:
    line = line.replace(some(40), some(44))  # not the length of an AWS key
    assert (ENTROPY in kinds(line, limits)) is found


def test_aws_secret_keys_are_found_whatever_the_entropy_limit() -> None:
    keys = [some(40, LETTERS + "+/", seed) for seed in range(300)]
    missed = [key for key in keys if kinds(f"curl {key}", Limits(8, 8)) != ["AWS secret access key"]]
    assert len(missed) <= 1


def test_one_hit_per_line_and_kind_in_the_order_of_lines() -> None:
    text = f"{AWS_ID} {AWS_ID}\r\npassword=hunter2 {AWS_ID}\rx\nTOKEN={AWS_SECRET}"
    assert find(text, LIMITS) == (
        Hit(1, "AWS access key"),
        Hit(2, "AWS access key"),
        Hit(2, NAMED),
        Hit(4, "AWS secret access key"),
    )


@pytest.mark.parametrize(
    ("text", "pattern", "left"),
    [
        (f"export KEY={AWS_ID}", "EXAMPLE$", []),
        (f"export KEY={AWS_ID}", "^KEY=", []),
        (f"export KEY={AWS_ID}", "OTHER", ["AWS access key"]),
        ("password = 'hunter2'", "^hunter2$", []),
        ("password = 'hunter2'", "password = ", []),
        ("password = 'hunter2'; token='swordfish'", "hunter2", [NAMED]),
        (f"a=hunter2 b={AWS_ID}", "hunter2", ["AWS access key"]),
    ],
)
def test_what_matches_an_ignore_pattern_does_not_count(text: str, pattern: str, left: list[str]) -> None:
    assert kinds(text, Limits(ignore_patterns=(pattern,))) == left


def test_ignored_pairs_by_value_and_by_name() -> None:
    pairs = [("DB_PASSWORD", "hunter2"), ("TOKEN", "swordfish")]
    assert in_pairs(pairs, Limits(ignore_patterns=("^hunter",))) == (("TOKEN", NAMED),)
    assert in_pairs(pairs, Limits(ignore_patterns=("^TOKEN=",))) == (("DB_PASSWORD", NAMED),)
    assert in_pairs(pairs, Limits(ignore_patterns=("hunter", "fish$"))) == ()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(ignore_patterns=("ok", "(")), r"secrets_ignore_patterns: '\(' is no regular expression"),
        (Limits(ignore_patterns=("",)), "would ignore everything"),
        (Limits(base64_entropy=9), "between 0.0 and 8.0"),
        (Limits(hex_entropy=-1), "between 0.0 and 8.0"),
    ],
)
def test_bad_limits_are_refused(limits: Limits, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find("", limits)
    with pytest.raises(ValueError, match=message):
        in_pairs([], limits)
    with pytest.raises(ValueError, match=message):
        list(in_file([], limits))


def test_limits_may_hold_a_list() -> None:
    assert find("password=hunter2", Limits(ignore_patterns=["hunter"])) == ()  # type: ignore[arg-type]


# -- files


def test_files_are_streamed() -> None:
    read = []

    def lines() -> Iterator[bytes]:
        for number in range(20_000):
            read.append(number)
            yield b"TOKEN='hunter2'\r\n" if number == 5 else b"nothing to see in this line\n"

    hits = in_file(lines(), LIMITS)
    assert next(hits) == Hit(6, NAMED)
    assert len(read) < 5_000
    assert list(hits) == []


@pytest.mark.parametrize(
    ("line", "name", "found"),
    [
        (b"password = compute(x)", "", False),
        (b"password = other", "", False),
        (b"def f(password=None, token=token, secret=self.secret):", "", False),
        (b"  password: string;", "", False),
        (b"  const token = await fetchIt();", "", False),
        (b"a.token=b,c.password=d;", "", False),
        (b'{"output_token": "NextToken", "password": "dbPassword"}', "", False),
        (b"password = input('Password: ')", "", False),
        (b"password = 'hunter2'", "", True),
        (b"connect(password=\"hunter2\")", "", True),
        (b"const token = `hunter2`;", "", True),
        (b"DB_PASSWORD=hunter2", "", True),
        (b"password: hunter2", "", False),
        (b"password: hunter2", "config/app.yaml", True),
        (b"password = hunter2", "settings.ini", True),
        (b"db_password=hunter2", "deploy/.env.production", True),
        (b"password = hunter2", "app.py", False),
    ],
)  # fmt: skip
def test_words_are_variables_in_code_and_values_in_configuration(line: bytes, name: str, found: bool) -> None:
    assert bool(list(in_file([line], LIMITS, name))) is found


def test_binary_files_are_searched_for_known_formats_only() -> None:
    blob = random.Random(1).randbytes(200_000).replace(b"\n", b"") + b"\0"
    assert list(in_file([blob], LIMITS)) == []
    assert list(in_file([b"\xff\0" + blob + b" " + AWS_ID.encode() + b"\0"], LIMITS)) == [Hit(1, "AWS access key")]


def test_long_lines_are_read_to_the_end_and_in_time() -> None:
    filler = "a=b;" * 200_000
    line = f"{filler}x('{AWS_ID}');{filler}password='hunter2';{filler}"
    assert set(in_file([line.encode()], LIMITS)) == {Hit(1, "AWS access key"), Hit(1, NAMED)}


@pytest.mark.parametrize("offset", [*range(3500, 3620, 7), *range(4050, 4110, 5)])
def test_nothing_is_lost_where_long_lines_are_cut(offset: int) -> None:
    assert sorted(kinds("-" * offset + f" password='hunter2' {AWS_ID} " + "-" * 5000)) == ["AWS access key", NAMED]


HOSTILE = ["a", "eyJ", "password=", "password='", "'", "://a:", "//a/:_authToken=", "aws key ", "token ", "-----BEGIN ",
           "arn:aws:", "${", "{{resolve:", "0123456789:", "M1.", "--token ", "<token", "sl_key=", "\\\""]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_text_takes_quadratic_steps(unit: str) -> None:
    verify_linear(lambda length: find(unit * (length // len(unit)), LIMITS), 50_000)


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("length", [0, 1, PIECE, 100_000])
def test_no_pattern_sees_more_than_a_piece_or_a_block(unit: str, length: int) -> None:
    """So that what a regular expression takes for its text does not grow with the text."""
    cut = list(blocks([unit * (length // len(unit)), "x", unit * (length // len(unit))]))
    sizes = [[len(piece) for _, piece in block] for block in cut]
    assert max(map(max, filter(None, sizes)), default=0) <= PIECE
    assert max(map(sum, sizes)) < BLOCK + PIECE
    assert sum(map(sum, sizes)) <= 2 * length * PIECE / (PIECE - OVERLAP) + 1 + 2 * OVERLAP


# -- user data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"#!/bin/sh\nyum update", "#!/bin/sh\nyum update"),
        ("été".encode(), "été"),
        (b"\xc3\x28\xfe", "\ufffd(\ufffd"),
        (gzip.compress(b"#!/bin/sh", mtime=0), "#!/bin/sh"),
        (gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0), "one two"),
        (gzip.compress(b"one ", mtime=0) + b"and the rest", "one and the rest"),
        ("password".encode("utf-16"), "password"),
        (b"\xff\xfe", ""),
    ],
)
def test_user_data_is_decoded(data: bytes, text: str) -> None:
    encoded = base64.b64encode(data).decode()
    assert user_data_text(encoded) == text
    assert user_data_text("\n".join(encoded[n : n + 60] for n in range(0, len(encoded), 60))) == text


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("this is no base64!", "not base64"),
        ("abc", "not base64"),
        ("café", "not base64"),
        (base64.b64encode(b"\x1f\x8bnot gzip").decode(), "says it is gzip and is not"),
        (base64.b64encode(b"\x1f\x8b").decode(), "says it is gzip and is not"),
        (base64.b64encode(gzip.compress(b"x" * 999, mtime=0)[:-9]).decode(), "says it is gzip and is not"),
        (base64.b64encode(gzip.compress(b"\0" * 20_000_000, mtime=0)).decode(), "unpacks to more than 16777216 bytes"),
    ],
)
def test_user_data_that_cannot_be_decoded_is_an_error(encoded: str, reason: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason) as raised:
        user_data_text(encoded, service="autoscaling", operation="DescribeLaunchConfigurations", region="eu-west-1")
    assert "autoscaling:DescribeLaunchConfigurations failed in eu-west-1" in str(raised.value)
    assert raised.value.__suppress_context__


# -- the scanner itself


def test_no_value_in_what_comes_out() -> None:
    for token, _ in FORMATS:
        shown = repr(find(f"password='{token}'", LIMITS)) + repr(in_pairs([("X", token)], LIMITS))
        assert token not in shown
        assert shown.count("Hit(line=1, kind=") >= 1


def test_threads_share_the_scanner() -> None:
    secrets._scanner.cache_clear()
    texts = {f"password='{some(9, seed=n)}'\n" * (n % 5) + f"{AWS_ID}\n": n % 5 for n in range(200)}
    limits = [Limits(), Limits(hex_entropy=3.5), Limits(ignore_patterns=(AWS_ID,))]

    def scan(number: int) -> bool:
        text, named = list(texts.items())[number % len(texts)]
        chosen = limits[number % 3]
        expected = [NAMED] * named + ([] if chosen.ignore_patterns else ["AWS access key"])
        return kinds(text, chosen) == expected

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(scan, range(600)))


def test_a_missing_library_is_an_error_and_not_a_clean_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str) -> type[object]:
        raise ModuleNotFoundError("No module named 'detect_secrets'")

    monkeypatch.setattr(secret_rules, "plugin_named", missing)
    secrets._scanner.cache_clear()
    with pytest.raises(ApiError, match="the secret scanner is missing: No module named 'detect_secrets'") as raised:
        find("x", LIMITS)
    assert "scan" in str(raised.value)
    with pytest.raises(ApiError, match="the secret scanner is missing"):
        in_pairs([], LIMITS)
    secrets._scanner.cache_clear()


def test_a_failing_detector_is_an_error_that_does_not_quote_what_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(line: str, *, code: bool) -> Iterator[tuple[int, int]]:
        raise RuntimeError(line)

    monkeypatch.setattr(secrets, "assigned_secrets", fails)
    with pytest.raises(ApiError, match="the secret scanner failed") as raised:
        find("password=hunter2", LIMITS)
    assert "RuntimeError" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__
    with pytest.raises(ApiError, match="the secret scanner failed"):
        in_pairs([("PASSWORD", "hunter2")], LIMITS)


def test_the_library_is_loaded_when_something_is_scanned_and_asks_no_network() -> None:
    program = (
        "import sys, fixtures.secrets as s\n"
        "assert 'detect_secrets' not in sys.modules and 'requests' not in sys.modules\n"
        "import socket; socket.socket.connect = None\n"
        f"assert s.find('{AWS_ID} sk_live_{some(24)}', s.Limits())\n"
    )
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True)
