/**
 * Runs one statement of DuckDB: what its own program would do, from the package that the gateway uses too. Rows come and go by
 * /dev/stdin and /dev/stdout.
 *
 *   node bench/tools/duck-sql.ts "SQL"
 */
import { DuckDBInstance } from '@duckdb/node-api'

const [sql = ''] = process.argv.slice(2)
const instance = await DuckDBInstance.create(':memory:', { preserve_insertion_order: 'false' })
const connection = await instance.connect()
await connection.run(sql)
connection.closeSync()
instance.closeSync()
