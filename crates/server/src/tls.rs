//! TLS: a certificate from files, read at the start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of certificates cannot be read.
    #[error("failed to read the certificates in {path}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in it.
    #[error("{0} has no certificate; it must have the server's own first, then those that lead to a trusted one")]
    NoCertificate(PathBuf),
    /// The file of the key cannot be read.
    #[error("failed to read the private key in {path}")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Both can be read and are of no use, or do not belong together.
    #[error("the certificate in {certificate} and the key in {key} cannot be used")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What accepts TLS connections with the certificate and the key in these files.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let unreadable = |source| TlsError::Certificate { path: certificate.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(unreadable)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let unreadable = |source| TlsError::Key { path: key.to_owned(), source };
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable)?;
    let unusable = |source| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), source };
    // The provider is named, not installed: what else is in the process may use another.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_used_is_told_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let (one, other) = (made("localhost"), made("elsewhere"));
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let certificate = write("cert.pem", &one.cert.pem());
        let key = write("key.pem", &one.signing_key.serialize_pem());
        let wrong = write("wrong.pem", &other.signing_key.serialize_pem());
        let empty = write("empty.pem", "");
        let missing = dir.path().join("missing.pem");
        assert!(acceptor(&certificate, &key).is_ok());
        for (certificate, key, says) in [
            (&missing, &key, "failed to read the certificates in"),
            (&empty, &key, "has no certificate"),
            (&certificate, &missing, "failed to read the private key in"),
            (&certificate, &empty, "failed to read the private key in"),
            (&certificate, &wrong, "cannot be used"),
        ] {
            let said = acceptor(certificate, key).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.contains(says) && said.contains(".pem"), "{said}");
        }
    }
}
