import { execFileSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundleOf, without } from './log-bundle.ts'

const files = [
  { name: 'postern/status.json', text: '{"name":"a"}\n' },
  { name: 'postern/log.ndjson', text: `${'ä'.repeat(700)}\n` },
  { name: 'postern/empty.txt', text: '' },
]

test('tar reads a bundle back as it was', () => {
  const bundle = bundleOf(files, 1_800_000_000_000)

  expect(gunzipSync(bundle).length % 512).toBe(0)
  expect(execFileSync('tar', ['-tz'], { input: bundle, encoding: 'utf8' }).trim().split('\n')).toEqual(files.map(({ name }) => name))
  for (const { name, text } of files) {
    expect(execFileSync('tar', ['-xzO', name], { input: bundle, encoding: 'utf8' })).toBe(text)
  }
})

test('secrets are taken out of a text, also where JSON has written them', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIG"HAg\n-----END PRIVATE KEY-----\n'

  expect(without([key, 'hunter2222', 'short'], `${JSON.stringify({ key })} by hunter2222, short`)).toBe(
    '{"key":"[secret]"} by [secret], short',
  )
})
