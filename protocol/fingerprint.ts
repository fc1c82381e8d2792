/** How a gateway's fingerprint is written, everywhere: the SHA-256 of the 32 raw bytes of its public key, "0f3a 11bc …". */
export function formatFingerprint(sha256: Uint8Array): string {
  const hex = Array.from(sha256, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.match(/.{4}/g)?.join(' ') ?? ''
}
