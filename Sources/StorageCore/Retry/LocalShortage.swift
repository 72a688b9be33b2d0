/// The cause of a transient ``StorageError`` that came before the service was asked, such as a pool of connections that are all in use:
/// no failure of the service, and no reason to leave it alone.
package protocol LocalShortage: Error {}
