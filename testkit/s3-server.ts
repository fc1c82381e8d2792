/**
 * The S3 server of the tests, a process of its own: s3rver, with what every real server has and it lacks: conditional writes, reads of
 * one version, the list, the blocks and the end of unfinished uploads. `--plain` leaves conditional writes out, as servers do that do not know them.
 *
 *   node s3-server.ts FOLDER [--plain]      sends { port } to its parent
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'

interface Context {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | undefined>>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly req: NodeJS.ReadableStream
  readonly state: Record<string, unknown>
  mountPath: string
  readonly response: { readonly status: number; get(header: string): string }
  status: number
  type: string
  body: unknown
}

interface Server {
  readonly middleware: ((ctx: Context, next: () => Promise<void>) => Promise<void>)[]
  readonly store: {
    existsObject(bucket: string, key: string): Promise<boolean>
    putContent(path: string, content: unknown): Promise<[size: number, md5: string]>
  }
  run(): Promise<{ readonly port: number }>
}

// Its tokens of the next page are in DES, which OpenSSL 3 has no more: the same two calls with AES.
const crypto = createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto')
const { createCipheriv, createDecipheriv } = crypto
const twice = (bytes: Uint8Array) => Buffer.concat([bytes, bytes])
Object.assign(crypto, {
  createCipheriv: (_: string, key: Uint8Array, iv: Uint8Array) => createCipheriv('aes-128-cbc', twice(key), twice(iv)),
  createDecipheriv: (_: string, key: Uint8Array, iv: Uint8Array) => createDecipheriv('aes-128-cbc', twice(key), twice(iv)),
})

const [folder = '', flag] = process.argv.slice(2)
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => Server
// s3rver decodes the source of a copy as if "+" and "&" in it were never encoded.
globalThis.decodeURI = decodeURIComponent
// And it checks signatures as if "'", "*", "(" and ")" were never encoded.
const encode = encodeURIComponent
globalThis.encodeURIComponent = (text) => encode(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, configureBuckets: [{ name: 'bucket' }] })
// It writes an object where readers find it; every real server shows it when it is whole.
const putContent = server.store.putContent.bind(server.store)
let drafts = 0
server.store.putContent = async (path, content) => {
  drafts += 1
  const draft = join(folder, `draft-${drafts}`)
  const put = await putContent(draft, Buffer.isBuffer(content) ? Readable.from([content]) : content)
  await rename(draft, path)
  return put
}
const uploads = new Map<string, string>()
const turns = new Map<string, Promise<void>>()

server.middleware.unshift(async (ctx, next) => {
  const { bucket, key } = placeOf(ctx)
  if (key === '' && ctx.path.endsWith('/')) signedWithSlash(ctx)
  if (ctx.method === 'GET' && 'uploads' in ctx.query && key === '') return listUploads(ctx, bucket)
  const upload = ctx.query['uploadId']
  if (upload !== undefined && !uploads.has(upload)) return refuse(ctx, 404, 'NoSuchUpload')
  if (upload !== undefined && ctx.method === 'GET') return listParts(ctx, bucket, upload)
  if (upload !== undefined && ctx.method === 'DELETE') return abortUpload(ctx, bucket, upload)
  const go = upload !== undefined && ctx.method === 'POST' ? () => inTurn(upload, () => complete(ctx, upload, next)) : next
  if (flag === '--plain' || ctx.headers['if-none-match'] !== '*' || !['PUT', 'POST'].includes(ctx.method)) await go()
  else await inTurn(ctx.path, () => unlessThere(ctx, go))
  noteUpload(ctx, key)
  // It escapes the names in its lists twice.
  if (typeof ctx.body === 'string' && ctx.body.startsWith('<?xml')) ctx.body = ctx.body.replaceAll('&amp;', '&')
  if (ctx.method === 'GET' && (ctx.headers['if-match'] ?? ctx.response.get('ETag')) !== ctx.response.get('ETag')) refuse(ctx)
})

/** SDKs of today sign "/bucket/"; s3rver leaves the last "/" out of what it checks, but for a bucket that is named by the host. */
function signedWithSlash(ctx: Context): void {
  ctx.mountPath = '/'
  Object.defineProperty(ctx.state, 'vhost', { get: () => true, set: () => undefined })
}

async function unlessThere(ctx: Context, next: () => Promise<void>): Promise<void> {
  const { bucket, key } = placeOf(ctx)
  if (!(await server.store.existsObject(bucket, key))) return next()
  refuse(ctx)
}

function refuse(ctx: Context, status = 412, code = 'PreconditionFailed'): void {
  ctx.req.resume()
  ctx.status = status
  ctx.type = 'application/xml'
  ctx.body = `<Error><Code>${code}</Code><Message>It is not as you said.</Message></Error>`
}

/** Of two that complete an upload the second finds none. */
async function complete(ctx: Context, upload: string, next: () => Promise<void>): Promise<void> {
  if (!uploads.has(upload)) return refuse(ctx, 404, 'NoSuchUpload')
  await next()
  if (ctx.response.status < 300) uploads.delete(upload)
}

async function abortUpload(ctx: Context, bucket: string, upload: string): Promise<void> {
  uploads.delete(upload)
  await rm(join(folder, bucket, '._S3rver_uploads', upload), { recursive: true, force: true })
  ctx.status = 204
}

/** Those who want to make the same object go one after the other. */
async function inTurn(path: string, work: () => Promise<void>): Promise<void> {
  const before = turns.get(path) ?? Promise.resolve()
  const mine = before.then(work)
  turns.set(
    path,
    mine.catch(() => undefined),
  )
  await mine
}

function noteUpload(ctx: Context, key: string): void {
  if (ctx.method !== 'POST' || !('uploads' in ctx.query)) return
  const id = /<UploadId>(.*?)<\/UploadId>/.exec(String(ctx.body))?.[1]
  if (id !== undefined) uploads.set(id, key)
}

async function listParts(ctx: Context, bucket: string, upload: string): Promise<void> {
  const at = join(folder, bucket, '._S3rver_uploads', upload)
  const numbers = (await readdir(at)).filter((name) => /^\d+$/.test(name)).map(Number)
  const parts = await Promise.all(
    numbers
      .toSorted((a, b) => a - b)
      .map(async (number) => {
        const tag = await readFile(join(at, `${number}.md5`), 'utf8')
        return `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${tag}&quot;</ETag></Part>`
      }),
  )
  ctx.status = 200
  ctx.type = 'application/xml'
  ctx.body = `<ListPartsResult><Bucket>${bucket}</Bucket><IsTruncated>false</IsTruncated>${parts.join('')}</ListPartsResult>`
}

function listUploads(ctx: Context, bucket: string): void {
  const prefix = ctx.query['prefix'] ?? ''
  const found = [...uploads].filter(([, key]) => key.startsWith(prefix))
  const listed = found.map(([id, key]) => `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></Upload>`)
  ctx.status = 200
  ctx.type = 'application/xml'
  ctx.body = `<ListMultipartUploadsResult><Bucket>${bucket}</Bucket><IsTruncated>false</IsTruncated>${listed.join('')}</ListMultipartUploadsResult>`
}

function placeOf(ctx: Context): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', ...rest] = ctx.path.split('/').map(decodeURIComponent)
  return { bucket, key: rest.join('/') }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

const { port } = await server.run()
process.send?.({ port })
process.on('disconnect', () => process.exit(0))
