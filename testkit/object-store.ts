/** Object stores for tests: an S3 server and Azurite, each a process of its own on a free port, with a bucket of their own. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContainerClient } from '@azure/storage-blob'
import type { StoreAccess } from './contract/rig.ts'
import { freePort } from './free-port.ts'
import { waitFor } from './wait-for.ts'

export interface ObjectServer extends AsyncDisposable {
  readonly endpoint: string
  /** Where the server keeps its files. */
  readonly folder: string
  readonly access: StoreAccess
}

/** What s3rver knows everyone by. */
export const S3_KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const
/** Azurite's own account, the same everywhere, published with it. */
export const AZURITE = {
  account: 'devstoreaccount1',
  accountKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const

/** `plain`: one that does not know conditional writes. */
export async function s3Server({ plain = false }: { readonly plain?: boolean } = {}): Promise<ObjectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-s3-'))
  const script = fileURLToPath(new URL('./s3-server.ts', import.meta.url))
  const child = fork(script, [folder, ...(plain ? ['--plain'] : [])], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ port }] = (await Promise.race([once(child, 'message'), endOf(child)])) as [{ port: number }]
  const endpoint = `http://127.0.0.1:${port}`
  const { accessKeyId, secretAccessKey } = S3_KEYS
  const settings = { endpoint, bucket: 'bucket', accessKeyId }
  return { endpoint, folder, access: { settings, secrets: { secretAccessKey } }, [Symbol.asyncDispose]: () => stop(child, folder) }
}

export async function azurite(): Promise<ObjectServer> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-azurite-'))
  const port = await freePort()
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const words = [
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    String(port),
    '--location',
    folder,
    '--silent',
    '--skipApiVersionCheck',
    '--disableTelemetry',
  ]
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    await Promise.race([waitFor('Azurite listens', () => listens(port), Boolean, { timeoutMs: 60_000 }), endOf(child)])
  } catch (cause) {
    await stop(child, folder)
    throw cause
  }
  const endpoint = `http://127.0.0.1:${port}/${AZURITE.account}`
  const settings = { endpoint, account: AZURITE.account, container: 'container' }
  const server = {
    endpoint,
    folder,
    access: { settings, secrets: { accountKey: AZURITE.accountKey } },
    [Symbol.asyncDispose]: () => stop(child, folder),
  }
  await (await azureContainer(endpoint)).create()
  return server
}

export async function azureContainer(endpoint: string): Promise<ContainerClient> {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
  const credential = new StorageSharedKeyCredential(AZURITE.account, AZURITE.accountKey)
  return new BlobServiceClient(endpoint, credential).getContainerClient('container')
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const tell = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => tell(true))
    socket.once('error', () => tell(false))
  })
}

async function endOf(child: ChildProcess): Promise<never> {
  const [code, by] = await once(child, 'exit')
  throw new Error(`The object server ended (${by ?? code}).`)
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
