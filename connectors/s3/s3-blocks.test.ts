import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { S3Blocks } from './s3-blocks.ts'

test('a block goes with its SHA-256, and with its MD5 from when a server has asked for that', async () => {
  const heard: string[] = []
  const server = createServer((request, response) => {
    const { 'content-md5': md5, 'x-amz-content-sha256': sha256 } = request.headers
    heard.push(`${/^[0-9a-f]{64}$/.test(String(sha256)) ? 'SHA-256' : sha256}, ${md5 ?? 'no MD5'}`)
    request.resume().once('end', () => response.writeHead(md5 === undefined ? 400 : 200, { etag: '"e"' }).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new S3Client({
    endpoint,
    region: 'r',
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  const blocks = new S3Blocks(client)
  const block = { Bucket: 'b', Key: 'k', UploadId: 'u', PartNumber: 1, Body: Buffer.from('bytes') }

  await blocks.send(block, AbortSignal.timeout(10_000))
  const { ETag } = await blocks.send(block, AbortSignal.timeout(10_000))

  const md5 = 'SzpiGLs+OnMD6KFxpg/Pkg=='
  expect(heard).toEqual(['SHA-256, no MD5', `SHA-256, ${md5}`, `SHA-256, ${md5}`])
  expect(ETag).toBe('"e"')
  client.destroy()
  server.close()
})
