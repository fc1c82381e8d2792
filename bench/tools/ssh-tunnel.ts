/** `ssh -R` as a peer: an sshd of its own on this machine, and a port that leads back through it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@postern/testkit/free-port.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path))

export function hasSsh(): boolean {
  return SSHD !== undefined && spawnSync('ssh', ['-V'], { stdio: 'ignore' }).status === 0
}

export class SshTunnel implements AsyncDisposable {
  /** Leads to the target. */
  readonly port: number
  readonly #folder: string
  readonly #children: readonly ChildProcess[]

  private constructor(port: number, folder: string, children: readonly ChildProcess[]) {
    this.port = port
    this.#folder = folder
    this.#children = children
  }

  static async to(targetPort: number): Promise<SshTunnel> {
    const folder = mkdtempSync(join(tmpdir(), 'postern-ssh-'))
    const [sshdPort, port] = [await freePort(), await freePort()]
    for (const key of ['host', 'user']) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)])
    spawnSync('cp', [join(folder, 'user.pub'), join(folder, 'authorized')])
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const settings = [
      `Port ${sshdPort}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      `PidFile ${join(folder, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
    ]
    writeFileSync(join(folder, 'config'), `${settings.join('\n')}\n`)
    const sshd = spawn(SSHD ?? '', ['-D', '-f', join(folder, 'config')], { stdio: 'ignore' })
    await waitFor('sshd listens', () => listens(sshdPort), Boolean)
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'ExitOnForwardFailure=yes', 'LogLevel=ERROR']
    const words = options.flatMap((option) => ['-o', option])
    const way = ['-N', '-R', `127.0.0.1:${port}:127.0.0.1:${targetPort}`, '-i', join(folder, 'user'), '-p', String(sshdPort)]
    const ssh = spawn('ssh', [...words, ...way, `${userInfo().username}@127.0.0.1`], { stdio: ['ignore', 'ignore', 'inherit'] })
    await waitFor('the tunnel stands', () => listens(port), Boolean)
    return new SshTunnel(port, folder, [ssh, sshd])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
