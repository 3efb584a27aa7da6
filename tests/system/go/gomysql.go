// A MySQL server in memory with go-mysql-server, for what MariaDB cannot be asked: log-ins by caching_sha2_password, as
// of MySQL 8. Arguments: port, certificate, key; standard input: statements of SQL, a line each, that are run first.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/mysql_db"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	database := memory.NewDatabase("mqtt")
	provider := memory.NewDBProvider(database)
	engine := sqle.NewDefault(provider)
	users := engine.Analyzer.Catalog.MySQLDb
	users.SetEnabled(true)
	users.SetPersister(&mysql_db.NoopPersister{})

	editor := users.Editor()
	users.AddSuperUser(editor, "root", "127.0.0.1", "")
	editor.Close()
	root := sql.NewBaseSessionWithClientServer("", sql.Client{User: "root", Address: "127.0.0.1"}, 1)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		ctx := sql.NewContext(context.Background(), sql.WithSession(memory.NewSession(root, provider)))
		ctx.SetCurrentDatabase("mqtt")
		_, rows, _, err := engine.Query(ctx, lines.Text())
		check(err)
		for err == nil {
			_, err = rows.Next(ctx)
		}
		if err != io.EOF {
			check(err)
		}
		check(rows.Close(ctx))
	}
	certificate, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	check(err)
	config := server.Config{Protocol: "tcp", Address: "127.0.0.1:" + os.Args[1],
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	listening, err := server.NewServer(config, engine, sql.NewContext, memory.NewSessionBuilder(provider), nil)
	check(err)
	check(listening.Start())
}
