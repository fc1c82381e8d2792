/**
 * Copy of a table from PostgreSQL to objects, CSV and Parquet, into an S3 server and Azurite on this machine. The peer is the vendor's
 * SDK writing the very same object from a local file, for which the rows are there already; for scale, also `psql` writing that file
 * first. Then the node's memory while it writes an object of three times the rows.
 *
 *   npx node bench/copy-objects.ts [ROWS] [RUNS]
 *
 * On a machine that does other things, too: chrt -r 5 before it, for all that it starts, the servers and the peer as well.
 */
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { AZURITE, azurite, S3_KEYS, s3Server } from '@postern/testkit/object-store.ts'
import { compare, median, timed } from './tools/compare.ts'
import { needProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

interface Vendor {
  readonly store: string
  fetch(key: string, file: string): Promise<void>
  put(key: string, file: string): Promise<void>
}

needProgram('psql')
const rows = Number(process.argv[2] ?? 3_000_000)
const runs = Number(process.argv[3] ?? 3)
/** Copies take seconds here: to look more often would take more of the processor than it tells. */
const LOOK_MS = 50
await using rig = await Rig.start({ nodes: 1 })
await using s3 = await s3Server()
await using azure = await azurite()
await rig.store('s3', 'objects', s3.access.settings, s3.access.secrets)
await rig.store('azure-blob', 'blobs', azure.access.settings, azure.access.secrets)
const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
// Texts that do not pack well: the objects are as large as real ones.
await rig.database.query(`create table wide (id bigint primary key, place timestamptz, amount numeric(12,2), note text)`)
await rig.database.query(
  `insert into wide select n, timestamptz '2026-01-01' + n * interval '1 second', n * 1.25, md5(n::text) || md5((n + 1)::text) from generate_series(1, ${rows}) n`,
)
await rig.database.query('vacuum analyze wide')
await rig.database.query('create view tall as select * from wide union all select * from wide union all select * from wide')

for (const vendor of [ofS3(s3.endpoint), ofAzure(azure.endpoint)]) {
  for (const name of ['wide.csv', 'wide.parquet']) {
    const copy = () => rig.copy({ source: 'bench', sink: vendor.store, from: 'wide', to: name, mode: 'overwrite' }, LOOK_MS)
    const file = join(folder, `${vendor.store}-${name}`)
    await copy()
    await vendor.fetch(name, file)
    const bytes = statSync(file).size
    await compare({
      title: `copy-objects: ${rows.toLocaleString('en-US')} rows, PostgreSQL to ${vendor.store}/${name}, ${(bytes / 1e6).toFixed(0)} MB`,
      amount: bytes,
      unit: 'bytes',
      wanted: 0.9,
      runs,
      peer: { name: 'SDK from a local file', run: () => timed(() => vendor.put(`peer-${name}`, file)) },
      ours: { name: 'postern copy', run: () => timed(copy) },
    })
    if (name.endsWith('.csv')) {
      const times: number[] = []
      for (let round = 0; round < runs; round += 1) {
        const line = `psql -qc "\\copy wide to '${file}' with (format csv, header)"`
        times.push(await timed(async () => vendorAfter(line, vendor, `peer-${name}`, file)))
      }
      console.log(`  psql to the file, then the SDK: ${median(times).toFixed(2)} s`)
    }
  }
  const sizes = await residentWhile(rig.pids.node, () =>
    rig.copy({ source: 'bench', sink: vendor.store, from: 'tall', to: 'tall.csv', mode: 'overwrite' }, LOOK_MS),
  )
  const quarters = [1, 2, 3, 4].map((n) =>
    Math.max(...sizes.slice(Math.floor(((n - 1) * sizes.length) / 4), Math.ceil((n * sizes.length) / 4))),
  )
  console.log(
    `  node, while it writes ${vendor.store}/tall.csv (${rows * 3} rows): ${quarters.join(', ')} MB resident at most, by quarters of the time`,
  )
}
rmSync(folder, { recursive: true, force: true })

async function vendorAfter(line: string, vendor: Vendor, key: string, file: string): Promise<void> {
  await shell(line, rig.server, rig.database.name)
  await vendor.put(key, file)
}

function ofS3(endpoint: string): Vendor {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: S3_KEYS,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  return {
    store: 'objects',
    fetch: async (Key, file) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key }))
      await pipeline(Body as Readable, createWriteStream(file))
    },
    put: async (Key, file) => {
      await client.send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: createReadStream(file), ContentLength: statSync(file).size }))
    },
  }
}

function ofAzure(endpoint: string): Vendor {
  const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(AZURITE.account, AZURITE.accountKey))
  const container = service.getContainerClient('container')
  return {
    store: 'blobs',
    fetch: async (key, file) => {
      await container.getBlockBlobClient(key).downloadToFile(file)
    },
    put: async (key, file) => {
      await container.getBlockBlobClient(key).uploadFile(file, { blockSize: 8 << 20, concurrency: 4 })
    },
  }
}

/** In MB, every tenth of a second. */
async function residentWhile(pid: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const sizes: number[] = []
  const look = () => {
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    sizes.push(Math.round(Number(resident) / 1_000))
  }
  const timer = setInterval(look, 100)
  try {
    await work()
    look()
    return sizes
  } finally {
    clearInterval(timer)
  }
}
