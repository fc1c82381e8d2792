import type { Readable } from 'node:stream'
import {
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  type StoragePipelineOptions,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { HostGuard } from '@postern/base/host-guard.ts'
import type { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { fewAtOnce } from '../files/publish.ts'
import { BLOCKS, type BlockSizes } from '../objects/block-upload.ts'
import type { Bucket, GetOptions, HeldUploads, Listed, ObjectFacts } from '../objects/bucket.ts'
import { azureFault, codeOf, isMissing, statusOf } from './azure-faults.ts'
import { AzureUploads, md5, quoted } from './azure-uploads.ts'
import { guardedService } from './guarded-service.ts'
import type { AzureBlobConfig } from './index.ts'

export interface AzureSecrets {
  readonly accountKey: Secret | undefined
  readonly sasToken: Secret | undefined
  readonly connectionString: Secret | undefined
}

/** All in ms. */
const LIMITS = {
  tryMs: 300_000,
  tries: 4,
  /** Waits between tries double from here. With the SDK's own four seconds one waits 16 s to hear of a wrong address. */
  retryMs: 250,
  mostRetryMs: 4_000,
  deletesAtOnce: 16,
} as const

const OPTIONS: StoragePipelineOptions = {
  retryOptions: {
    maxTries: LIMITS.tries,
    tryTimeoutInMs: LIMITS.tryMs,
    retryDelayInMs: LIMITS.retryMs,
    maxRetryDelayInMs: LIMITS.mostRetryMs,
  },
}

export class AzureBucket implements Bucket {
  readonly title: string
  readonly held: HeldUploads
  readonly #container: ContainerClient
  readonly #uploads: AzureUploads

  constructor(
    config: Pick<AzureBlobConfig, 'account' | 'endpoint' | 'container'>,
    secrets: AzureSecrets,
    hosts = new HostGuard(),
    sizes: BlockSizes = BLOCKS,
  ) {
    const service = guardedService(serviceOf(config, secrets), OPTIONS, hosts)
    this.#container = service.getContainerClient(config.container)
    this.#uploads = new AzureUploads({ container: this.#container, sizes, at: (key) => this.#at(key) })
    this.held = this.#uploads
    this.title = `container ${config.container} at ${new URL(service.url).host}`
  }

  async *list(prefix: string, delimiter: boolean, signal: AbortSignal): AsyncIterable<Listed> {
    const options = { prefix, abortSignal: signal }
    try {
      if (delimiter) {
        for await (const item of this.#container.listBlobsByHierarchy('/', options)) {
          if (item.kind === 'prefix') yield { prefix: item.name }
          else yield factsOf(item.name, item.properties)
        }
        return
      }
      for await (const item of this.#container.listBlobsFlat(options)) yield factsOf(item.name, item.properties)
    } catch (cause) {
      throw azureFault(cause, this.#at(prefix), signal)
    }
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    const found = await this.#properties(key, signal)
    return found && factsOf(key, found)
  }

  async mark(key: string, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#properties(key, signal))?.metadata?.['postern']
  }

  async get(key: string, { range, version }: GetOptions, signal: AbortSignal): Promise<Readable | undefined> {
    const options = {
      abortSignal: signal,
      maxRetryRequests: LIMITS.tries,
      ...(version === undefined ? {} : { conditions: { ifMatch: version } }),
    }
    try {
      const found = await this.#blob(key).download(range?.from ?? 0, range && range.to - range.from, options)
      return found.readableStreamBody as Readable | undefined
    } catch (cause) {
      if (codeOf(cause) === 'BlobNotFound') return undefined
      throw azureFault(cause, this.#at(key), signal)
    }
  }

  async put(key: string, bytes: Buffer, ifAbsent: boolean, signal: AbortSignal): Promise<boolean> {
    const conditions = ifAbsent ? { ifNoneMatch: '*' } : {}
    return this.#unlessThere(key, ifAbsent, signal, () =>
      this.#blob(key).upload(bytes, bytes.length, { abortSignal: signal, conditions, blobHTTPHeaders: { blobContentMD5: md5(bytes) } }),
    )
  }

  upload(key: string, bytes: Readable, mark: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#uploads.whole(key, bytes, mark, signal)
  }

  /** Within one account; what is in the source goes with its metadata. */
  async copy(from: ObjectFacts, to: string, { ifAbsent }: { readonly ifAbsent: boolean }, signal: AbortSignal): Promise<boolean> {
    const conditions = ifAbsent ? { ifNoneMatch: '*' } : {}
    return this.#unlessThere(to, ifAbsent, signal, async () => {
      const sourceConditions = { ifMatch: from.version }
      const poller = await this.#blob(to).beginCopyFromURL(this.#blob(from.key).url, {
        abortSignal: signal,
        conditions,
        sourceConditions,
        intervalInMs: 200,
      })
      const { copyStatus } = await poller.pollUntilDone()
      if (copyStatus !== 'success')
        throw new Fault('STORE_LOST', { at: `${this.#at(to)}: the copy within the account ended as ${copyStatus}` })
    })
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await fewAtOnce(keys, LIMITS.deletesAtOnce, async (key) => {
      try {
        await this.#blob(key).deleteIfExists({ abortSignal: signal, deleteSnapshots: 'include' })
      } catch (cause) {
        throw azureFault(cause, this.#at(key), signal)
      }
    })
  }

  dropUploads(prefix: string, signal: AbortSignal): Promise<void> {
    return this.#uploads.dropAll(prefix, signal)
  }

  close(): void {
    // Its connections end by themselves.
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(key)
  }

  async #properties(key: string, signal: AbortSignal) {
    try {
      return await this.#blob(key).getProperties({ abortSignal: signal })
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw azureFault(cause, this.#at(key), signal)
    }
  }

  async #unlessThere(key: string, ifAbsent: boolean, signal: AbortSignal, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await send()
      return true
    } catch (cause) {
      if (
        ifAbsent &&
        !(cause instanceof Fault) &&
        (codeOf(cause) === 'BlobAlreadyExists' || (statusOf(cause) === 412 && codeOf(cause) !== 'SourceConditionNotMet'))
      )
        return false
      throw azureFault(cause, this.#at(key), signal)
    }
  }

  #at(key: string): string {
    return key === '' ? this.title : `${this.title}, ${key}`
  }
}

function serviceOf(config: Pick<AzureBlobConfig, 'account' | 'endpoint' | 'container'>, secrets: AzureSecrets): BlobServiceClient {
  const { account, endpoint } = config
  const at = `container ${config.container}`
  const { connectionString, accountKey, sasToken } = secrets
  if (connectionString) {
    try {
      return BlobServiceClient.fromConnectionString(connectionString.reveal())
    } catch {
      throw new Fault('STORE_DENIED', { at: `${at}: the connection string is not one`, remedy: 'Seal the whole connection string again.' })
    }
  }
  const url = endpoint ?? (account === undefined ? undefined : `https://${account}.blob.core.windows.net`)
  if (url === undefined || (accountKey && account === undefined)) {
    throw new Fault('STORE_SETTINGS_INVALID', { at: 'account: it is needed without a connection string' })
  }
  if (accountKey && account !== undefined) {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(accountKey.reveal())) {
      throw new Fault('STORE_DENIED', { at: `${at}: the account key is not base64`, remedy: 'Seal the whole accountKey again.' })
    }
    return new BlobServiceClient(url, new StorageSharedKeyCredential(account, accountKey.reveal()))
  }
  if (sasToken) return new BlobServiceClient(`${url.replace(/\/$/, '')}?${sasToken.reveal().replace(/^\?/, '')}`)
  throw new Fault('STORE_DENIED', { at: `${at}: no credential`, remedy: 'Seal accountKey, sasToken or connectionString of the store.' })
}

function factsOf(key: string, { contentLength, etag }: { readonly contentLength?: number; readonly etag?: string }): ObjectFacts {
  return { key, bytes: contentLength ?? 0, version: quoted(etag) }
}
