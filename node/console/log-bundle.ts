/** What somebody who is to help gets: a .tar.gz of text files, without secrets. Pure. */
import { gzipSync } from 'node:zlib'

export interface BundleFile {
  readonly name: string
  readonly text: string
}

const BLOCK = 512
/** Shorter ones would be found by chance. */
const LEAST_CHARACTERS = 8

/** POSIX ustar, compressed. Names of at most 100 bytes. */
export function bundleOf(files: readonly BundleFile[], now: number): Buffer {
  const seconds = Math.floor(now / 1_000)
  const blocks = files.flatMap(({ name, text }) => {
    const body = Buffer.from(text)
    return [headOf(name, body.length, seconds), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]))
}

function headOf(name: string, size: number, seconds: number): Buffer {
  const head = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  head.write(name, 0, 100)
  head.write(`${octal(0o600, 7)}${octal(0, 7)}${octal(0, 7)}${octal(size, 11)}${octal(seconds, 11)}`, 100)
  head.write('        0', 148) // the checksum is made with spaces in its own place; then the type: a plain file
  head.write('ustar\x0000', 257, 'latin1')
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return head
}

/** Without these, as they are or within JSON: what the log leaves out by its names can still stand in a message of another program. */
export function without(secrets: readonly string[], text: string): string {
  const forms = new Set(
    secrets.filter((secret) => secret.length >= LEAST_CHARACTERS).flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]),
  )
  return [...forms].reduce((left, secret) => left.replaceAll(secret, '[secret]'), text)
}
