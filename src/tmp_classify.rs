pub fn classify(_: &[holdpoint_schemas::fix::FileChange], _: &dyn Fn(&str)->Option<String>, _: &dyn Fn(&str)->Option<String>) -> holdpoint_schemas::fix::Classification { unreachable!() }
