"""slapd of the tests' own: users of a fleet below dc=example,dc=org, over ldap:// and ldaps:// on free ports."""
import subprocess

from .node import free_port
from .servers import Server, _program

ROOT_DN = "cn=root,dc=example,dc=org"
ROOT_PASSWORD = "root-pw-ldap"
BASE = "ou=devices,dc=example,dc=org"
SCHEMA = """
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'isSuperuser' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'isEnabled' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME ( 'mqttPublishTopic' 'mpt' ) EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME ( 'mqttSubscriptionTopic' 'mst' ) EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.1.5 NAME ( 'mqttPubSubTopic' 'mat' ) EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'mqttUser' SUP top STRUCTURAL MUST uid
  MAY ( userPassword $ isSuperuser $ isEnabled $ mqttPublishTopic $ mqttSubscriptionTopic $ mqttPubSubTopic ) )
"""


class Slapd(Server):
    def __init__(self, folder, skip, pki=None):
        super().__init__(folder)
        self.server = _program(skip, "slapd", "/usr/sbin/slapd", "slapd")
        self.add_program = _program(skip, "ldapadd", "ldapadd")
        self.data = self.folder / "data"
        self.data.mkdir()
        self.tls_port = free_port() if pki else None
        (self.folder / "mqtt.schema").write_text(SCHEMA)
        tls = ""
        if pki:
            certificate, key = pki.issue("ldap")
            tls = f"TLSCACertificateFile {pki.ca}\nTLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"
        (self.folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include {self.folder}/mqtt.schema
pidfile {self.folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=search,dc=example,dc=org" read by * none
allow bind_anon_dn
database mdb
suffix "dc=example,dc=org"
rootdn "{ROOT_DN}"
rootpw {ROOT_PASSWORD}
directory {self.data}
maxsize 16777216
access to attrs=userPassword by dn.exact="cn=search,dc=example,dc=org" read by anonymous auth by * none
access to * by dn.exact="cn=search,dc=example,dc=org" read by * none
""")

    def command(self):
        urls = f"ldap://127.0.0.1:{self.port}/" + (f" ldaps://127.0.0.1:{self.tls_port}/" if self.tls_port else "")
        return [self.server, "-h", urls, "-f", str(self.folder / "slapd.conf"), "-d", "0"]

    def fill(self):
        self.add("""dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=devices,dc=example,dc=org
objectClass: organizationalUnit
ou: devices

dn: cn=search,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: search
userPassword: search-pw-ldap
""")
        return self

    def add(self, ldif):
        done = subprocess.run([self.add_program, "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ROOT_DN, "-w", ROOT_PASSWORD],
                              input=ldif, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        assert done.returncode == 0, done.stdout

    def add_user(self, uid, *attributes, password=None):
        """attributes: "name: value"; `password` as the attribute has it."""
        lines = [f"dn: uid={uid},{BASE}", "objectClass: mqttUser", "uid: " + uid.replace("\\", ""), *attributes]
        if password is not None:
            lines.append(f"userPassword: {password}")
        self.add("\n".join(lines) + "\n")
