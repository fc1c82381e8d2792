/**
 * PostgreSQL's wire through service and node (link over TLS) against an `ssh -R` tunnel to the same server: pgbench -S -M prepared with 1 and
 * 8 clients, and COPY out of 2 M rows. Straight to the server is printed too. The client's own end is plain on all of them: loopback.
 *
 *   npx node bench/wire.ts
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { ACCOUNTS, fillAccounts } from './tools/accounts.ts'
import { median, timed } from './tools/compare.ts'
import { needProgram } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'
import { hasSsh, SshTunnel } from './tools/ssh-tunnel.ts'

const run = promisify(execFile)
const ROUNDS = 5
const SECONDS = 4

needProgram('psql')
needProgram('pgbench')
if (!hasSsh()) console.log('without ssh: openssh-server and openssh-client are not on this machine')

const folder = mkdtempSync(join(tmpdir(), 'postern-wire-'))
const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', keyFile, '-out', certFile])
process.env['NODE_EXTRA_CA_CERTS'] = certFile // for the processes that are started from here on
setDefaultCACertificates([...getCACertificates('default'), readFileSync(certFile, 'utf8')])

try {
  await using rig = await Rig.start({ nodes: 1, tls: { certFile, keyFile } })
  await fillAccounts(rig.database)
  // pgbench reads its scale from here.
  await rig.database.query(`create table pgbench_branches as select n as bid from generate_series(1, ${ACCOUNTS / 100_000}) n`)
  const { server, database } = rig
  await using tunnel = hasSsh() ? await SshTunnel.to(server.port) : undefined

  const own = { PGUSER: server.user, PGPASSWORD: server.password, PGDATABASE: database.name, PGSSLMODE: 'disable' }
  const wire = { PGUSER: 'bench', PGPASSWORD: rig.token, PGDATABASE: 'bench', PGPORT: String(rig.postgresPort) }
  const ways: Record<string, Record<string, string>> = {
    straight: { ...own, PGPORT: String(server.port) },
    ...(tunnel ? { 'ssh -R': { ...own, PGPORT: String(tunnel.port) } } : {}),
    postern: { ...wire, PGSSLMODE: 'disable' },
    'postern, TLS to the client': { ...wire, PGSSLMODE: 'require' },
  }
  const call = (program: string, args: readonly string[], env: Record<string, string>) =>
    run(program, [...args], { env: { ...process.env, PGHOST: '127.0.0.1', ...env }, maxBuffer: 1 << 20, timeout: 120_000 })

  const tps = async (clients: number, env: Record<string, string>) => {
    const args = ['-S', '-n', '-M', 'prepared', '-c', String(clients), '-T', String(SECONDS)]
    const { stdout } = await call('pgbench', args, env)
    return Number(/tps = ([\d.]+) \(without/.exec(stdout)?.[1] ?? Number.NaN)
  }
  const rowsPerSecond = async (env: Record<string, string>) =>
    ACCOUNTS / (await timed(() => call('sh', ['-c', `psql -Xqc 'copy pgbench_accounts to stdout' > /dev/null`], env)))

  for (const clients of [1, 8]) {
    const title = `pgbench -S -M prepared, ${clients} client${clients === 1 ? '' : 's'} (transactions/s)`
    await inTurns(title, ways, (env) => tps(clients, env), { 'ssh -R': 1.2 })
  }
  await inTurns(`COPY of ${ACCOUNTS.toLocaleString('en-US')} rows to stdout (rows/s)`, ways, rowsPerSecond, { 'ssh -R': 1, straight: 0.85 })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** One round that does not count, then rounds in which each way has its turn. */
async function inTurns(
  title: string,
  ways: Readonly<Record<string, Record<string, string>>>,
  measure: (env: Record<string, string>) => Promise<number>,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  const rates = new Map<string, number[]>()
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, env] of Object.entries(ways)) {
      const rate = await measure(env)
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), rate])
    }
  }
  const of = (name: string) => median(rates.get(name) ?? [])
  console.log(`\nwire: ${title}`)
  for (const name of rates.keys()) console.log(`  ${name.padEnd(28)} ${of(name).toFixed(0).padStart(9)}`)
  for (const [peer, least] of Object.entries(wanted))
    if (rates.has(peer))
      console.log(`  postern ÷ ${peer.padEnd(18)} ${(of('postern') / of(peer)).toFixed(2).padStart(9)}   (wanted: at least ${least})`)
}
