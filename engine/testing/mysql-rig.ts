/** A MariaDB of one's own (`crm`), a database of PostgreSQL (`shop`) and a folder (`lake`), and an engine over them. */
import { type MysqlDatabase, MysqlServer } from '@postern/testkit/mysql-server.ts'
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import type { Engine } from '../engine.ts'
import { type OpenedStore, openPostgres, openStore, type TemporaryFolder, temporaryFolder } from './real-stores.ts'
import { engineOver } from './rig.ts'

export interface MysqlRig extends AsyncDisposable {
  readonly mysql: MysqlDatabase
  readonly database: TestDatabase
  readonly folder: TemporaryFolder
  readonly stores: { readonly shop: OpenedStore; readonly crm: OpenedStore; readonly lake: OpenedStore }
  readonly engine: Engine
}

export async function mysqlRig(): Promise<MysqlRig> {
  await using parts = new AsyncDisposableStack()
  const server = parts.use(await MysqlServer.start())
  const mysql = parts.use(await server.database())
  const database = parts.use(await testDatabase())
  const folder = parts.use(await temporaryFolder())
  const { host, port, name, user, password } = mysql
  const stores = {
    shop: parts.use(await openPostgres(database)),
    crm: parts.use(await openStore('mysql', { host, port, database: name, user }, { password })),
    lake: parts.use(await openStore('files', { path: folder.path })),
  }
  const engine = parts.use(engineOver(stores))
  const kept = parts.move()
  return { mysql, database, folder, stores, engine, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
