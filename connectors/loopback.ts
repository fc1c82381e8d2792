/** A host name that means this machine, or a socket in its file system: on another machine it is another server. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0|\/.*)$/i.test(host)
}
