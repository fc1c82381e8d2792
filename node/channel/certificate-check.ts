/** Whether a certificate of the user's own does for the channel, in words for a person. Pure. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** PEM, as the files hold it. */
export interface CertificateFiles {
  /** The leaf, and what stands between it and the root. */
  readonly cert: string
  readonly key: string
  /** Whom to trust; the machine's own authorities when left out. */
  readonly ca?: string | undefined
}

export interface CheckedCertificate extends CertificateFiles {
  readonly leaf: X509Certificate
}

const DAY_MS = 86_400_000
/** So long before its end an administrator hears of it. */
const NOTICE_DAYS = 30

/** Throws an Error that says what is wrong. That it has expired is no such thing: see `expiryOf`. */
export function checkCertificate(files: CertificateFiles, now: number): CheckedCertificate {
  const [leaf, ...between] = certificatesOf(files.cert, 'the certificate')
  if (!leaf) throw new Error('the file of the certificate holds none (PEM is expected)')
  if (!leaf.checkPrivateKey(keyOf(files.key))) throw new Error('the key is not that of the certificate')
  if (!leaf.subjectAltName) throw new Error('the certificate names no host: it has no subject alternative names')
  if (leaf.validFromDate.getTime() > now) throw new Error(`the certificate is valid from ${day(leaf.validFromDate)} on`)
  if (files.ca !== undefined) checkChain(leaf, between, certificatesOf(files.ca, 'the CA'))
  return { ...files, leaf }
}

/** Trouble that is there, trouble that is coming, or neither. */
export function expiryOf(leaf: X509Certificate, now: number): { readonly fault: string | null; readonly notice: string | null } {
  const until = leaf.validToDate.getTime()
  if (until <= now) return { fault: `its certificate for the channel has expired on ${day(leaf.validToDate)}`, notice: null }
  const days = Math.ceil((until - now) / DAY_MS)
  if (days > NOTICE_DAYS) return { fault: null, notice: null }
  return {
    fault: null,
    notice: `its certificate for the channel expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${day(leaf.validToDate)}`,
  }
}

/** Others look for it at this address: it must be among the names, or match a wildcard. */
export function namesHost(leaf: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)) !== undefined
}

function certificatesOf(pem: string, what: string): X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  try {
    return texts.map((text) => new X509Certificate(text))
  } catch {
    throw new Error(`the file of ${what} cannot be read as PEM`)
  }
}

function keyOf(pem: string) {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new Error('the key cannot be read: PEM without a passphrase is expected')
  }
}

/** From the leaf up to one that is trusted. */
function checkChain(leaf: X509Certificate, between: readonly X509Certificate[], trusted: readonly X509Certificate[]): void {
  let at = leaf
  for (let steps = 0; steps <= between.length + 1; steps += 1) {
    const current = at
    if (trusted.some((root) => root.fingerprint256 === current.fingerprint256 || isIssuer(root, current))) return
    const next = between.find((one) => one !== current && isIssuer(one, current))
    if (!next) break
    at = next
  }
  throw new Error(`no CA of the given file has issued it, nor is there a chain to one (it was issued by ${oneLine(at.issuer)})`)
}

const isIssuer = (issuer: X509Certificate, of: X509Certificate): boolean => of.checkIssued(issuer) && of.verify(issuer.publicKey)
const oneLine = (name: string): string => name.replaceAll('\n', ', ')
const day = (date: Date): string => date.toISOString().slice(0, 10)
