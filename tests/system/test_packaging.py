"""What `cmake --install` and `cpack` make of the build folder of the program under test."""
import pathlib
import subprocess

from . import node

BUILD = pathlib.Path(node.program()).resolve().parents[1]
STAGED = ("bin/signalbox", "etc/signalbox/signalbox.conf", "etc/signalbox/acl.conf", "libexec/signalbox/demo-certs",
          "lib/systemd/system/signalbox.service")


def run(*command, folder=None):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_everything_is_installed_below_the_prefix_and_the_unit_names_it(tmp_path):
    run("cmake", "--install", str(BUILD), "--prefix", str(tmp_path))
    assert [name for name in STAGED if not (tmp_path / name).is_file()] == []
    unit = (tmp_path / "lib/systemd/system/signalbox.service").read_text()
    assert f"ExecStart={tmp_path}/bin/signalbox start --config {tmp_path}/etc/signalbox/signalbox.conf" in unit
    assert run(str(tmp_path / "bin/signalbox"), "--version").strip()
    # What was installed is found without being named, from any folder.
    program = str(tmp_path / "bin/signalbox")
    assert run(program, "root_dir", folder="/").strip() == str(tmp_path)
    silent = subprocess.run([program, "ping"], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert silent.returncode == 1
    assert "Node 'signalbox@127.0.0.1' not responding to pings.\n/var/lib/signalbox/ctl.sock: " in silent.stdout


def test_the_package_has_its_configuration_where_its_unit_looks(tmp_path):
    run("cpack", "-G", "DEB", "-B", str(tmp_path), folder=BUILD)
    package, = tmp_path.glob("*.deb")
    names = {line.split()[-1] for line in run("dpkg-deb", "-c", str(package)).splitlines()}
    conffiles = run("dpkg-deb", "--info", str(package), "conffiles").split()
    assert conffiles == ["/etc/signalbox/signalbox.conf", "/etc/signalbox/acl.conf"]
    assert {"." + name for name in conffiles} | {"./usr/bin/signalbox"} <= names
    assert not [name for name in names if name.startswith("./usr/local")]
    run("dpkg-deb", "-x", str(package), str(tmp_path / "root"))
    unit = (tmp_path / "root/usr/lib/systemd/system/signalbox.service").read_text()
    assert "ExecStart=/usr/bin/signalbox start --config /etc/signalbox/signalbox.conf" in unit
    assert "NODE__DATA_DIR" not in unit, "what the unit alone knows, `signalbox ctl` does not find"
    assert 'data_dir = "/var/lib/signalbox"' in (tmp_path / "root/etc/signalbox/signalbox.conf").read_text()
