const LOOPBACK = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/

/** Of the other end of a connection, as the socket tells it: whether it is on this machine. */
export const isLoopbackAddress = (address: string | undefined): boolean => LOOPBACK.test(address ?? '')
