require.call(null, "lo"+"dash");
