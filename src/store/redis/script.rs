//! Scripts, which servers know by their digests.

use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind};

use super::Connection;

/// A script in Lua.
pub(in crate::store) struct Script {
    code: &'static str,
    digest: String,
}

impl Script {
    pub(in crate::store) fn new(code: &'static str) -> Self {
        Self {
            code,
            digest: redis::Script::new(code).get_hash().to_owned(),
        }
    }

    /// Runs it. What is added to the command: the number of keys, the keys, the arguments.
    ///
    /// A server that does not know it is sent the whole of it, which it keeps: to load it into every node of a cluster, as the crate does, fails
    /// while any of them is away.
    ///
    /// # Errors
    /// When Redis does not answer, or with an error.
    pub(in crate::store) async fn call<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        add: impl Fn(&mut Cmd),
    ) -> RedisResult<T> {
        let mut known = redis::cmd("EVALSHA");
        known.arg(&self.digest);
        add(&mut known);
        match known.query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let mut whole = redis::cmd("EVAL");
                whole.arg(self.code);
                add(&mut whole);
                whole.query_async(connection).await
            }
            answered => answered,
        }
    }
}
