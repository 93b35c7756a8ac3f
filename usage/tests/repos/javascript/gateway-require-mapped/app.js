[("lo"+"dash")].map(require);
