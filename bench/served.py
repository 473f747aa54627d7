"""lgdp with a database of its own, for what is measured over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(profile="release"):
    """`release` is what the demo runs, `dist` what production does."""
    subprocess.run(["cargo", "build", "--profile", profile, "--locked", "-p", "lgdp"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / profile / "lgdp"


class Served:
    """The site, in a home of its own, with the returns of a folder published."""

    def __init__(self, lgdp, home, specs):
        self.home = home
        self.lgdp = lgdp
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **os.environ, "LGDP_HOME": str(home), "LGDP_SPECS": str(specs), "LGDP_LISTEN": f"127.0.0.1:{self.port}", "LGDP_LOG": "warn",
        }
        self.environment.pop("DATABASE_URL", None)
        self.process = subprocess.Popen([lgdp, "serve"], env=self.environment)

    def __enter__(self):
        for _ in range(1200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    probe.sendall(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    if b" 200 " in probe.recv(100):
                        return self
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit("lgdp ended")
            time.sleep(0.1)
        sys.exit("the site did not get ready")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def psql(self, *arguments):
        pid_file, = self.home.glob("postgres/*/data/postmaster.pid")
        socket_dir = pid_file.read_text().splitlines()[4]
        return ["psql", "-X", "-q", "-A", "-t", "-h", socket_dir, "-U", "lgdp", "-d", "lgdp", "-v", "ON_ERROR_STOP=1", *arguments]

    def sql(self, *arguments, statement=None):
        return subprocess.run(self.psql(*arguments), input=statement, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def rows(self, statement):
        return [line.split("|") for line in self.sql("-c", statement).splitlines()]

    def admin(self, *arguments):
        """`lgdp admin` beside the site, in the same home; what it prints."""
        command = [self.lgdp, "admin", *arguments]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def forget_peak(self):
        """From here on, the most memory is counted anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_megabytes(self):
        """The most memory that the site has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line, = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024


def say(what):
    print(what, file=sys.stderr, flush=True)
