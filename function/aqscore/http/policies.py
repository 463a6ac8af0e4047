"""Security headers of the HTTPS API's answers: content types, referrers, and what a page may load.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

CSP = "Content-Security-Policy"
# Of every answer. Data that a browser shows as a document may load nothing.
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    CSP: "default-src 'none'; frame-ancestors 'none'",
}
# Swagger UI draws icons from data:.
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_policy(style: str, script: str, upload_origin: str | None) -> str:
    """The policy of the page: it plays recordings from memory and connects to the API and the upload bucket.

    Its style sheet and its script are named by their hashes; 'self' admits the microphone's worklet.
    ``upload_origin`` is a scheme, a host and, where it isn't the default, a port; None without uploads.
    """
    connections = f"'self' {upload_origin}" if upload_origin else "'self'"
    return (
        f"default-src 'none'; script-src 'self' {script}; style-src {style}; img-src data:; media-src blob:; "
        f"connect-src {connections}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
