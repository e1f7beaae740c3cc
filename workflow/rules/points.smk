# Body points of named animals, for an experiment with the section `repair` or `pose`: one job per movie each.


rule repair:
    input:
        index=at("index/{movie}.h5"),
        blobs=at("segment/{movie}.h5"),
        tracklets=at("tracklets/{movie}.h5"),
        identities=file_of("propagate", PLAN.recording_of),
        trajectories=at("smooth/{movie}.h5"),
        poses=body_point_files(),
    output:
        out=at("repair/{movie}.h5"),
    log:
        at("logs/repair/{movie}.log"),
    benchmark:
        at("benchmarks/repair/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        settings=settings("repair"),
        version=version("repair"),
    shell:
        "python -m herdbook.stages.repair --index {input.index:q} --blobs {input.blobs:q}"
        " --tracklets {input.tracklets:q} --identities {input.identities:q}"
        " --trajectories {input.trajectories:q} --poses {input.poses:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule smooth_points:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        blobs=at("segment/{movie}.h5"),
        repaired=repaired_points,
        found=at("pose/{movie}.h5") if EXPERIMENT.pose else [],
        corrections=given(
            [EXPERIMENT.smooth.corrections] if EXPERIMENT.smooth.corrections else []
        ),
    output:
        out=at("points/{movie}.h5"),
    log:
        at("logs/smooth_points/{movie}.log"),
    benchmark:
        at("benchmarks/smooth_points/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 4
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("smooth_points"),
        version=version("smooth_points"),
    shell:
        "python -m herdbook.stages.smooth_points --movie {input.movie:q} --index {input.index:q}"
        " --blobs {input.blobs:q} --repaired {input.repaired:q} --found {input.found:q} --corrections {input.corrections:q}"
        " --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
