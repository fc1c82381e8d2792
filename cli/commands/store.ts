import type { Catalog, StoreTestResult, StoreView } from '@postern/protocol/api/stores.ts'
import type { Command } from 'commander'
import { collect } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import type { StoreFlags } from './store-create.ts'
import type { StoreSetFlags } from './store-set.ts'

interface Json {
  readonly json?: boolean
}

export function storeCommands(program: Command, shell: Shell): void {
  const group = program.command('store').description('databases and file shares that a gateway reaches')
  addCreate(group, shell)
  group
    .command('list')
    .description('all stores')
    .option('--json', 'machine-readable')
    .action(async (options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const stores = await client.stores.list(shell.signal)
      if (options.json) return printJson(shell, stores)
      if (stores.length === 0) return note(shell, 'There is no store yet: `postern store create --help`.')
      await printTable(
        shell,
        ['NAME', 'KIND', 'GATEWAY', 'SETTINGS'],
        stores.map((store) => [store.name, store.kind, store.gateway, settingsText(store)]),
      )
    })
  group
    .command('show NAME')
    .description('one store: its settings, and which of them are sealed')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const store = await client.stores.get(name, shell.signal)
      if (options.json) return printJson(shell, store)
      await showStore(shell, store)
    })
  addSet(group, shell)
  addTest(group, shell)
  group
    .command('browse NAME [PATH]')
    .description('what a store holds: schemas and tables, or folders and files')
    .option('--json', 'machine-readable')
    .action(async (name: string, path: string | undefined, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const catalog = await client.stores.catalog(name, path ?? '', shell.signal)
      if (options.json) return printJson(shell, catalog)
      await showCatalog(shell, catalog)
    })
  group
    .command('delete NAME')
    .description('delete a store; what it points to is not touched')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.stores.delete(name, shell.signal)
      if (options.json) return printJson(shell, { name, deleted: true })
      printLines(shell, `Store ${name} is deleted.`)
    })
}

const SECRET_HELP = `
Secrets are sealed on this machine to the gateway's public key: the service never holds one in clear.
  --secret password=-             asked for without echo, or read from stdin: in no history and no process list
  --secret password=env:PGPASS    taken from a variable of this process
  --secret password=hunter2       as it stands; other users of this machine may see it
A reference is read by the node, each time that it opens the store; what it names is sealed too (docs/references.md).
  --secret-ref password=env:POSTERN_REF_PG                    a variable of the node, whose name begins with POSTERN_REF_
  --secret-ref password=file:pg-password                      a file in the secrets folder of the node
  --secret-ref password=vault:secret/data/pg#password         a field in HashiCorp Vault (key/value engine, version 2)

Example:
  postern store create shop --gateway demo --kind postgres \\
    --set host=db.internal --set database=shop --set user=reader --secret password=-`

function addCreate(group: Command, shell: Shell): void {
  group
    .command('create NAME')
    .description('make a store')
    .requiredOption('--gateway <gateway>', 'the gateway that reaches it')
    .requiredOption('--kind <kind>', 'what it is: postgres, mysql, files, s3 or azure-blob (their settings: docs/reference/settings.md)')
    .option('--set <KEY=VALUE>', 'a setting (repeat for more)', collect, [])
    .option('--secret <KEY=VALUE>', 'a secret setting; VALUE, env:VAR, or - for stdin (repeat for more)', collect, [])
    .option('--secret-ref <KEY=REFERENCE>', 'a secret that the node reads: env:, file: or vault: (repeat for more)', collect, [])
    .option('--node-label <KEY=VALUE>', 'only nodes with this label answer queries for it (repeat for more)', collect, [])
    .option('--accept-new-fingerprint', "trust the gateway's key although it is not the one this machine knows")
    .option('--json', 'machine-readable')
    .addHelpText('after', SECRET_HELP)
    .action(async (name: string, options: Json & StoreFlags) => {
      const { createStore } = await import('./store-create.ts')
      const store = await createStore(name, options, shell)
      if (options.json) return printJson(shell, store)
      printLines(shell, `Store ${store.name} is made. See whether it works: postern store test ${store.name}`)
    })
}

const SET_HELP = `
LIMITS protect the store from queries that are too large or too many; the strictest of store, token and request holds:
  limit.timeoutMs=60000    limit.maxRows=100000    limit.maxBytes=100000000    limit.concurrency=8    limit.connections=20
and from copies, all of them together:
  limit.rowsPerSecond=50000    limit.bytesPerSecond=20000000    limit.copyTasks=4
KEY= with nothing behind it takes a setting or a limit away.`

function addSet(group: Command, shell: Shell): void {
  group
    .command('set NAME [KEY=VALUE...]')
    .description('change settings, credential or limits of a store')
    .option('--secret <KEY=VALUE>', 'a secret setting; VALUE, env:VAR, or - for stdin (repeat for more)', collect, [])
    .option('--secret-ref <KEY=REFERENCE>', 'a secret that the node reads: env:, file: or vault: (repeat for more)', collect, [])
    .option('--accept-new-fingerprint', "trust the gateway's key although it is not the one this machine knows")
    .option('--json', 'machine-readable')
    .addHelpText('after', SET_HELP)
    .action(async (name: string, words: string[], options: Json & StoreSetFlags) => {
      const { setStore } = await import('./store-set.ts')
      const store = await setStore(name, words, options, shell)
      if (options.json) return printJson(shell, store)
      await showStore(shell, store)
    })
}

function addTest(group: Command, shell: Shell): void {
  group
    .command('test NAME')
    .description('let a node open the store; reads no data')
    .option('--node <node>', 'this node (default: one that the gateway chooses)')
    .option('--json', 'machine-readable')
    .action(async (name: string, options: Json & { readonly node?: string }) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const result = await client.stores.test(name, options.node === undefined ? {} : { node: options.node }, shell.signal)
      if (options.json) printJson(shell, result)
      else if (result.ok) {
        const { duration } = await import('../output/format.ts')
        printLines(shell, `OK: ${result.server ?? name} answered node ${result.node} in ${duration(result.durationMs)}.`)
      }
      if (!result.ok) await failTest(shell, result, options.json === true)
    })
}

/** The answer was "no": it is said as any other fault, and so is the exit code. */
async function failTest(shell: Shell, result: StoreTestResult, json: boolean): Promise<never> {
  const [{ Fault, EXIT_CODE }, { Exit }, { printFault }] = await Promise.all([
    import('@postern/protocol/fault.ts'),
    import('../exit.ts'),
    import('../output/fault.ts'),
  ])
  const fault = Fault.fromJson(result.fault ?? { code: 'STORE_UNREACHABLE', message: 'The store did not answer.' })
  if (!json) {
    fault.message = `${fault.message} (node ${result.node})`
    printFault(fault, shell, false)
  }
  throw new Exit(EXIT_CODE[fault.kind])
}

const settingsText = (store: StoreView) =>
  Object.entries(store.settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

async function showStore(shell: Shell, store: StoreView): Promise<void> {
  const { when } = await import('../output/format.ts')
  printFacts(shell, [
    ['name', store.name],
    ['kind', store.kind],
    ['gateway', store.gateway],
    ['version', String(store.version)],
    ['made', when(store.createdAt)],
    ['changed', when(store.updatedAt)],
    ...Object.entries(store.nodeLabels).map(([name, value]) => ['node label', `${name}=${value}`] as const),
    ...Object.entries(store.settings).map(([name, value]) => [name, String(value)] as const),
    ...store.secrets.map((name) => [name, '(sealed)'] as const),
    ...Object.entries(store.limits).map(([name, value]) => [`limit.${name}`, String(value)] as const),
  ])
}

async function showCatalog(shell: Shell, catalog: Catalog): Promise<void> {
  const { bytes, count } = await import('../output/format.ts')
  if (catalog.entries.length === 0) return note(shell, 'There is nothing here.')
  const rows = catalog.entries.map((entry) => [
    entry.path,
    entry.type,
    entry.rows === undefined ? '-' : count(entry.rows),
    entry.bytes === undefined ? '-' : bytes(entry.bytes),
  ])
  await printTable(shell, ['PATH', 'TYPE', 'ROWS', 'SIZE'], rows)
  const columns = catalog.entries.length === 1 ? catalog.entries[0]?.columns : undefined
  if (columns) {
    printLines(shell, '')
    await printTable(
      shell,
      ['COLUMN', 'TYPE', 'NULL'],
      columns.map((column) => [column.name, column.type, column.nullable ? 'yes' : 'no']),
    )
  }
  if (catalog.truncated) note(shell, 'There is more than is shown here.')
}
