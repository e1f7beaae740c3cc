# Movies with known truth, for an experiment with the section `simulate`.


rule simulate:
    output:
        movies=[at(f"simulate/{movie}.mp4") for movie in MOVIES],
        labels=at("simulate/labels.csv"),
        truth=at("simulate/truth.csv"),
        record=at("provenance/simulate.json"),
    log:
        at("logs/simulate/simulate.log"),
    benchmark:
        at("benchmarks/simulate/simulate.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=settings("simulate"),
        version=stage_version("simulate"),
        folder=subpath(output.labels, parent=True),
    shell:
        "python -m herdbook.stages.simulate --out {params.folder:q} --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
