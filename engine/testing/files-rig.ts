/** A database of PostgreSQL (`shop`) and a folder (`lake`), and an engine over them. */
import { type TestDatabase, testDatabase } from '@postern/testkit/postgres.ts'
import type { Engine } from '../engine.ts'
import { type OpenedStore, openPostgres, openStore, type TemporaryFolder, temporaryFolder } from './real-stores.ts'
import { engineOver } from './rig.ts'

export interface FilesRig extends AsyncDisposable {
  readonly database: TestDatabase
  readonly folder: TemporaryFolder
  readonly stores: { readonly shop: OpenedStore; readonly lake: OpenedStore }
  readonly engine: Engine
}

export async function filesRig(): Promise<FilesRig> {
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await testDatabase())
  const folder = parts.use(await temporaryFolder())
  const stores = {
    shop: parts.use(await openPostgres(database)),
    lake: parts.use(await openStore('files', { path: folder.path })),
  }
  const engine = parts.use(engineOver(stores))
  const kept = parts.move()
  return { database, folder, stores, engine, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
